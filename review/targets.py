"""The targets of the policies, and what was reached (G13, O1, O3, O5)."""

from collections.abc import Iterable, Mapping

from cases.measure.proposed import Proposal
from cases.policy.policy import Policy
from review.counting import rate
from review.figures import Attainment, Between, Cases, Decision, Promises, Rate, Verdict
from review.statistics import change

SATISFACTION = "satisfaction"
NOTHING = rate(0, 0)


def attainment(
    policies: Mapping[str, Policy],
    promises: tuple[Iterable[Promises], Iterable[Promises]],
    cases: tuple[Iterable[Cases], Iterable[Cases]],
) -> list[Attainment]:
    """Return every target with its rates, each of the two pairs for the period and for the one before.

    A promise counts if it fell due in the period and was not void. Satisfaction counts cases that closed in it and
    whose customer answered.
    """
    kept, kept_before = ({p.subject: p.kept for p in each if p.dimension == "rule"} for each in promises)
    satisfied, satisfied_before = ({c.subject: c.satisfied for c in each if c.dimension == "line"} for each in cases)
    found = []
    for line, policy in sorted(policies.items()):
        for rule in policy.promises:
            if rule.target is not None:
                key = f"{line}/{rule.rule}"
                rates = (kept.get(key, NOTHING), kept_before.get(key, NOTHING))
                found.append(_attained(line, rule.rule, rule.name, float(rule.target), rates))
        if policy.satisfaction_target is not None:
            rates = (satisfied.get(line, NOTHING), satisfied_before.get(line, NOTHING))
            found.append(_attained(line, None, SATISFACTION, float(policy.satisfaction_target), rates))
    return found


def _attained(line: str, rule: str | None, name: str, target: float, rates: tuple[Rate, Rate]) -> Attainment:
    now, before = rates
    moved = change(now.hits, now.n, before.hits, before.n)
    return Attainment(
        line=line,
        rule=rule,
        name=name,
        target=target,
        now=now,
        before=before,
        change=moved and Between(low=moved.low, high=moved.high),
        verdict=_verdict(now, target),
    )


def _verdict(now: Rate, target: float) -> Verdict:
    if now.interval is None or now.interval.low <= target <= now.interval.high:
        return Verdict.OPEN
    return Verdict.MET if now.interval.low > target else Verdict.MISSED


def missed(attained: Iterable[Attainment]) -> list[Decision]:
    """Return the targets that were missed for certain, the furthest first."""
    found = [
        Decision(
            dimension="line",
            subject=each.line,
            figure=each.rule or SATISFACTION,
            value=each.now.share,
            against=each.target,
            hits=each.now.hits,
            n=each.now.n,
            proposal=Proposal.POLICY,
            cases=[],
            query="closed_cases" if each.rule is None else "due_promises",
            line=each.line,
        )
        for each in attained
        if each.verdict == Verdict.MISSED and each.now.share is not None
    ]
    return sorted(found, key=lambda each: (each.value - each.against, each.subject, each.figure))
