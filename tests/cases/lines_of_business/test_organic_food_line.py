"""Organic food: promises in working days, over holidays and make-up workdays (O1–O6), and remedies as F and M."""

from datetime import datetime, timedelta
from typing import Any

import pytest

import policies
from cases.calendar import CalendarTerms
from cases.policy.policy import Policy
from cases.vocabulary import KeptWhen
from tests.cases.lines import AT_ONCE, FOOD, GREENS, plan_of
from tests.cases.world import SHANGHAI, START, in_force, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COMPLAINTS = sorted(in_force()["organic_food"].topics.keys() - {"inquiry"})
RETURNS = ["return.quality", "return.unwanted"]


@pytest.fixture(scope="module")
def organic() -> dict[str, Policy]:
    """The line as it was read in November 2026, when 2027 had not been announced."""

    class November2026(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "November2026":
            return cls(2026, 11, 18, tzinfo=tz)  # type: ignore[arg-type]

    line = in_force()["organic_food"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "datetime", November2026)
        days = policies.work_calendar(CalendarTerms(country="CN"), "Asia/Shanghai")
    return {"organic_food": line.model_copy(update={"working_days": days})}


def plan(topic: str, finding: dict[str, Any] | None = None, **fields: Any) -> Any:
    return plan_of("organic_food", topic, finding, **fields)


def at(month: int, day: int, hour: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)


# Promises


def test_an_inquiry_is_acknowledged_in_30_minutes_and_owed_nothing_else() -> None:
    """O1: 95 % of them in time."""
    assert plan("inquiry").within() == {"acknowledge": timedelta(minutes=30)}
    assert next(p for p in in_force()["organic_food"].promises if p.rule == "O1").target == 0.95


@pytest.mark.parametrize("topic", COMPLAINTS)
def test_every_complaint_has_an_owner_in_24_hours_and_a_solution_in_five_working_days(topic: str) -> None:
    """O2, O3, O6; and nothing is promised about returns that are none (O4, O5)."""
    within = plan(topic).within()

    assert within["acknowledge"] == timedelta(minutes=30)
    assert within["assign"] == DAY
    assert within["solution"] == 7 * DAY
    assert (within.get("return_decision"), within.get("return_done")) == (
        (DAY, 5 * DAY) if topic in RETURNS else (None, None)
    )


def test_what_keeps_them_and_how_often_they_should_be_kept() -> None:
    """O2–O5: a solution is one when it has been carried out, not when it was offered."""
    rules = {p.rule: (p.kept_by, p.target, p.pausable) for p in in_force()["organic_food"].promises}

    assert rules["O2"] == (KeptWhen.OWNER_NAMED, None, False)
    assert rules["O3"] == (KeptWhen.CARRIED_OUT, 0.9, True)
    assert rules["O4"] == (KeptWhen.OFFER_DELIVERED, None, False)
    assert rules["O5"] == (KeptWhen.ON_ITS_WAY, 0.85, False)
    assert in_force()["organic_food"].satisfaction_target == 0.9


# Working days (S12, S24)


@pytest.mark.parametrize(
    ("received", "solution", "return_done"),
    [
        pytest.param(at(11, 18, 10), at(11, 25, 10), at(11, 23, 10), id="an ordinary week"),
        pytest.param(at(11, 21, 10), at(11, 28), at(11, 26), id="a Saturday"),
        pytest.param(at(9, 29, 15), at(10, 12, 15), at(10, 9, 15), id="over National Day and its make-up Saturday"),
        pytest.param(at(2, 12, 10), at(2, 26, 10), at(2, 24, 10), id="before Spring Festival, over its first Saturday"),
        pytest.param(at(2, 14, 10), at(2, 28, 10), at(2, 26, 10), id="on the make-up Saturday before it"),
        pytest.param(at(2, 18, 10), at(3, 1), at(2, 27), id="within it: the second make-up Saturday is the fifth day"),
        pytest.param(at(2, 27, 10), at(3, 5, 10), at(3, 3, 10), id="after it, over the second make-up Saturday"),
        pytest.param(at(12, 29, 10, year=2025), at(1, 6, 10), at(1, 4, 10), id="over a year's end that was announced"),
    ],
)
def test_working_days_skip_holidays_and_count_make_up_days(
    organic: dict[str, Policy], received: datetime, solution: datetime, return_done: datetime
) -> None:
    """O3, O5, S12, S24."""
    planned = plan("return.quality", policies=organic, received_at=received.isoformat())

    assert (planned.due["solution"], planned.due["return_done"]) == (solution, return_done)
    assert planned.provisional == set()


@pytest.mark.parametrize(
    ("received", "due", "provisional"),
    [
        (at(12, 18), at(12, 25), False),
        (at(12, 18, 1), at(12, 25, 1), True),
        (at(12, 25), at(1, 1, year=2027), True),
        (at(12, 25, 1), at(1, 4, 1, year=2027), True),
        (at(12, 30, 10), at(1, 7, 10, year=2027), True),
    ],
)
def test_a_deadline_in_a_year_that_is_not_announced_is_provisional(
    organic: dict[str, Policy], received: datetime, due: datetime, provisional: bool
) -> None:
    """O3, S12, S33, both sides of its last week: legal holidays (New Year's Day, a Friday) are always off."""
    planned = plan("goods.damage", policies=organic, received_at=received.isoformat())

    assert planned.due["solution"] == due
    assert planned.provisional == ({"solution"} if provisional else set())


def test_a_case_travels_through_spring_festival(organic: dict[str, Policy]) -> None:
    """S24: reported the day before, its five working days end on the Saturday after, and not one minute before."""
    line = organic["organic_food"]
    evidence = [{"kind": "photo", "uri": "s3://1"}]
    world = open_case(
        "goods.damage", policy=line, line=line.line, order=FOOD, affected=GREENS, evidence=evidence, received=at(2, 14)
    )

    world.until(at(2, 28) - timedelta(seconds=1))
    assert world.state("solution") == "open"
    world.until(at(2, 28))
    assert world.state("solution") == "broken"


def test_a_case_carries_only_the_days_that_can_matter_to_it(organic: dict[str, Policy]) -> None:
    """S12, S18: small enough to pin; and the deadline is the same."""
    line = organic["organic_food"]
    world = open_case("return.unwanted", policy=line, line=line.line, order=FOOD, affected=GREENS)

    kept = world.case.policy.working_days.exceptions
    assert min(kept) >= START.date()
    assert len(kept) < len(line.working_days.exceptions)
    assert world.due("solution") == START + 7 * DAY


def test_a_case_that_counts_no_working_days_carries_none() -> None:
    """S12: neither a line without them, nor a topic of a line with some."""
    slate = open_case("transport.damage").case.policy.working_days
    inquiry = open_case("inquiry", line="organic_food", order=FOOD, affected=None).case.policy.working_days

    assert (slate.exceptions, inquiry.exceptions) == ({}, {})
    assert in_force()["organic_food"].working_days.exceptions


# Remedies: as fresh food and returned formula, whose tests show every class


@pytest.mark.parametrize("topic", COMPLAINTS)
def test_complaint_is_remedied_as_its_counterpart_in_the_line_that_it_follows(topic: str) -> None:
    """F10–F15, M10–M12: the very same options, evidence and missing facts."""
    twin = "infant_formula" if topic in RETURNS else "fresh_food"
    delivered = (START - DAY).isoformat()
    findings: list[dict[str, Any]] = [{}, {"upheld": False}, {"sealed": False}, {"sealed": True}]
    findings += [{"upheld": True, "liable": liable} for liable in ("supplier", "customer")]
    findings += [{"hours_late": hours} for hours in (2, 2.01, 24, 24.01)]

    for finding in findings:
        for affected in (GREENS, None):
            order = {**FOOD, "delivered_at": delivered}
            here = plan(topic, finding, order=order, affected=affected)
            there = plan_of(twin, topic, finding, order=order, affected=affected)
            assert here.options == there.options
            assert (here.missing, here.evidence, here.outcome) == (there.missing, there.evidence, there.outcome)


def test_suspected_food_is_stopped_and_sampled_when_the_complaint_arrives() -> None:
    """F11."""
    assert {p.do for p in in_force()["organic_food"].precautions} == {"stop_use_notice", "collection"}


def test_an_inquiry_is_answered() -> None:
    """O1, M14."""
    planned = plan("inquiry")

    assert (planned.options, planned.outcome) == ({"answer": {"answer": AT_ONCE}}, "informed")
