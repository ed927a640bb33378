"""`starter.py policy preview --last`: what an edited policy would have meant for closed cases, as a table."""

from rich.console import Group, RenderableType
from rich.text import Text

from console.reading import Json, plain, table

MOST_NAMED = 5
"""The number of cases that are named as not comparable. JSON names all."""


def rendered(found: Json) -> RenderableType:
    """Return the promises and the money of the closed cases, as they were and as they would have been."""
    title = f"{plain(found['line'])}, the {found['cases']} cases that closed last, under {plain(found['policy'])}"
    rows = [
        (name, *(_change(counts, was, would) for was, would in _COLUMNS), counts["unknown"] or None)
        for name, counts in found["promises"].items()
    ]
    parts: list[RenderableType] = [Text(title, style="bold")]
    if rows:
        parts.append(table("", "promise, promised, broken, not known", rows) or "")
    for currency, sums in found["paid"].items():
        parts.append(f"paid: {sums['paid']} → {sums['would_pay']} {plain(currency)}")
    if unknown := found["money_unknown"]:
        parts.append(f"not known what {len(unknown)} cases would have cost: what was chosen would not be offered")
    faults = found["not_comparable"]
    parts += [f"{plain(each['case_id'])} cannot be compared: {plain(each['why'])}" for each in faults[:MOST_NAMED]]
    if more := len(faults) - MOST_NAMED:
        parts += [f"{more} more cannot be compared: see --json"] if more > 0 else []
    return Group(*parts)


_COLUMNS = (("promised", "would_promise"), ("broken", "would_break"))


def _change(counts: Json, was: str, would: str) -> str:
    return str(counts[was]) if counts[was] == counts[would] else f"{counts[was]} → {counts[would]}"
