"""The summary of the demo: promises kept and broken, payments by case, and whether the partners' records agree."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from cases.policy.remedy_kinds import PAID_AS
from cases.vocabulary import RemedyKind
from demo.narrator import Narrator
from demo.play import Stage
from demo.stories import Story

PROMISES = ("kept", "broken")
"""States of promises that the summary counts."""


async def summarise(console: Console, stage: Stage, stories: list[tuple[Story, Narrator]]) -> bool:
    """Print the summary. Return whether every story ended as expected and every payment is accounted for."""
    recorded = await _paid_by_partners(stage)
    table = Table(title="Summary", title_justify="left", show_lines=False)
    for name in ("case", "line", "ended as", *PROMISES, *PAID_AS):
        table.add_column(name, justify="right" if name in {*PROMISES, *PAID_AS} else "left")
    differences = []
    for case_id, case in sorted(stage.cases.items()):
        states = [p.state for p in case.snapshot.promises]
        paid = case.snapshot.paid.as_json()
        table.add_row(
            case_id,
            case.complaint["line"],
            case.snapshot.outcome or case.snapshot.status,
            *(str(states.count(state)) for state in PROMISES),
            *(paid[k] for k in PAID_AS),
        )
        if recorded[case_id] != paid:
            differences.append(f"{case_id}: the case says {paid}, the partner's records {dict(recorded[case_id])}")
    console.print()
    console.print(table)
    unknown = sorted(set(recorded) - set(stage.cases))
    differences += [f"{case_id}: a payment for a case that was not opened" for case_id in unknown]
    for difference in differences:
        console.print(f"[bold red]{difference}[/]")
    failures = [f"{story.title}: {narrator.failure}" for story, narrator in stories if narrator.failure]
    for failure in failures:
        console.print(failure, style="bold red", markup=False)
    if not differences:
        console.print(
            "Every payment in the partner's records belongs to one accepted offer. No payment is missing or extra."
        )
    return not (differences or failures)


async def _paid_by_partners(stage: Stage) -> dict[str, dict[str, str]]:
    """Return what the refunds partner has paid, by case and by the fields of the snapshot's `paid`."""
    heading = {kind: name for name, kinds in PAID_AS.items() for kind in kinds}
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(PAID_AS, Decimal(0)))
    ledger: dict[str, Any] = await stage.ledger()
    for step in ledger["steps"]:
        if step["kind"] in heading:
            sums[step["case_id"]][heading[RemedyKind(step["kind"])]] += Decimal(step["amount"])
    nothing = dict.fromkeys(PAID_AS, "0.00")
    written = {case_id: {name: f"{total:.2f}" for name, total in by.items()} for case_id, by in sums.items()}
    return defaultdict(lambda: nothing, written)
