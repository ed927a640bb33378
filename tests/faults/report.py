"""What a run did and found, as a table for people: Markdown, as docs/guarantees.md has it."""

from collections import Counter
from statistics import quantiles

from tests.faults.books import taken_back
from tests.faults.suite import Run


def table(found: Run) -> str:
    """Faults by kind, cases, calls, doubles, what was lost and how fast the machine recovered."""
    evidence, posts = found.evidence, Counter(c["key"] for c in found.evidence.calls if c["call"] == "POST steps")
    outcomes = Counter(evidence.ends[c].get("outcome") or "open" for c in evidence.ends)
    messages = Counter(answer for life in found.lives for sent in life.sent.values() for answer in sent.answers)
    broken = Counter(violation.rule for violation in found.violations)
    faulty = Counter(call["fault"] for call in evidence.calls if call["fault"])
    orders = Counter(life.plot.order_id for life in found.lives if life.plot.order_id)
    rows: list[tuple[str, object]] = [
        ("seed", found.seed),
        ("cases", len(found.lives)),
        ("orders with several cases", sum(count > 1 for count in orders.values())),
        *((f"  {outcome}", count) for outcome, count in sorted(outcomes.items())),
        ("runs of their workflows", sum(len(runs) for runs in evidence.histories.values())),
        ("faults", sum(found.mischief.done.values())),
        *((f"  {name}", count) for name, count in sorted(found.mischief.done.items())),
        ("calls that met a fault at a partner", sum(faulty.values())),
        *((f"  {name}", count) for name, count in sorted(faulty.items())),
        ("payments taken back", sum(map(taken_back, evidence.steps))),
        ("steps carried out", len(evidence.steps)),
        ("calls repeated under their key", sum(posts.values()) - len(posts)),
        ("partners asked what became of a call", sum(call["call"] == "GET steps" for call in evidence.calls)),
        ("messages sent", sum(messages.values())),
        *((f"  {answer}", count) for answer, count in sorted(messages.items())),
        ("poison", sum(life.poisoned for life in found.lives)),
        ("recovery, p50", _seconds(found.mischief.recovered, 50)),
        ("recovery, p99", _seconds(found.mischief.recovered, 99)),
        ("broken promises of this suite", len(found.violations)),
        *((f"  {rule}", count) for rule, count in sorted(broken.items())),
    ]
    table = [("what", "how many"), ("---", "---"), *((name.replace("  ", "– ", 1), str(value)) for name, value in rows)]
    width, other = (max(len(row[column]) for row in table) for column in (0, 1))
    return "\n".join(f"| {name:<{width}} | {value:>{other}} |" for name, value in table)


def _seconds(times: list[float], percent: int) -> str:
    """A percentile; of one time it is that time."""
    if not times:
        return "-"
    return f"{quantiles([*times, *times], n=100, method='inclusive')[percent - 1]:.1f} s ({len(times)} times)"
