"""Report what a run did and found, as a Markdown table (docs/guarantees.md)."""

from collections import Counter
from statistics import quantiles

from tests.faults.money import taken_back
from tests.faults.suite import Run


def table(found: Run) -> str:
    """Return faults by kind, cases, calls, violations and recovery times."""
    evidence, posts = found.evidence, Counter(c["key"] for c in found.evidence.calls if c["call"] == "POST steps")
    outcomes = Counter(evidence.ends[c].get("outcome") or "open" for c in evidence.ends)
    messages = Counter(answer for life in found.lives for sent in life.sent.values() for answer in sent.answers)
    broken = Counter(violation.rule for violation in found.violations)
    faulty = Counter(call["fault"] for call in evidence.calls if call["fault"])
    orders = Counter(life.scenario.order_id for life in found.lives if life.scenario.order_id)
    rows: list[tuple[str, object]] = [
        ("seed", found.seed),
        ("cases", len(found.lives)),
        ("orders with several cases", sum(count > 1 for count in orders.values())),
        *((f"  {outcome}", count) for outcome, count in sorted(outcomes.items())),
        ("workflow runs", sum(len(runs) for runs in evidence.histories.values())),
        ("faults", sum(found.injector.done.values())),
        *((f"  {name}", count) for name, count in sorted(found.injector.done.items())),
        ("calls that hit a partner fault", sum(faulty.values())),
        *((f"  {name}", count) for name, count in sorted(faulty.items())),
        ("payments taken back", sum(map(taken_back, evidence.steps))),
        ("steps carried out", len(evidence.steps)),
        ("calls repeated under the same key", sum(posts.values()) - len(posts)),
        ("lookups by key", sum(call["call"] == "GET steps" for call in evidence.calls)),
        ("messages sent", sum(messages.values())),
        *((f"  {answer}", count) for answer, count in sorted(messages.items())),
        ("poison messages", sum(life.poisoned for life in found.lives)),
        ("recovery, p50", _seconds(found.injector.recovered, 50)),
        ("recovery, p99", _seconds(found.injector.recovered, 99)),
        ("violations", len(found.violations)),
        *((f"  {rule}", count) for rule, count in sorted(broken.items())),
    ]
    table = [("measure", "count"), ("---", "---"), *((name.replace("  ", "– ", 1), str(value)) for name, value in rows)]
    width, other = (max(len(row[column]) for row in table) for column in (0, 1))
    return "\n".join(f"| {name:<{width}} | {value:>{other}} |" for name, value in table)


def _seconds(times: list[float], percent: int) -> str:
    """Return a percentile; a single time counts twice."""
    if not times:
        return "-"
    return f"{quantiles([*times, *times], n=100, method='inclusive')[percent - 1]:.1f} s ({len(times)} times)"
