"""What is offered follows from topic, finding and order: B10–B22, both sides of each class."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.entitlement.granting import Assessment, assess
from cases.errors import InvalidInput, Refusal
from cases.inbox.messages import read
from cases.partner_calls import InstallationRecord
from cases.state.finding import PartialFinding
from cases.vocabulary import Outcome, PromiseState, Status
from tests.cases.world import START, a_trail, building_materials, moved, open_case, remedies_of

SLABS = [{"sku": "SLATE-9", "quantity": 1}]
TOPICS = sorted(building_materials().topics)
DELAYS = ["transport.delay", "transport.loss"]


def offered(topic: str, *, order: dict[str, Any] | None = None, **finding: Any) -> Assessment:
    complaint = open_case(topic, order=order or {}, looked_up=False).case.complaint
    return assess(building_materials().slice_for(complaint), complaint, PartialFinding(**finding))


def options(topic: str, **finding: Any) -> dict[str, dict[str, dict[str, Any]]]:
    return remedies_of(offered(topic, **finding).options)


# Damage in transit and the quality of goods


@pytest.mark.parametrize("topic", ["transport.damage", "goods.quality"])
def test_minor_damage_is_repaired_on_site_with_a_coupon_of_5_percent(topic: str) -> None:
    """B10, B22."""
    granted = offered(topic, severity="minor")

    assert remedies_of(granted.options) == {"repair": {"coupon": {"amount": "640.00"}, "onsite_repair": {}}}
    assert granted.consent_required
    assert granted.outcome is None


@pytest.mark.parametrize("topic", ["transport.damage", "goods.quality"])
def test_moderate_damage_is_replaced_and_the_damaged_items_are_collected(topic: str) -> None:
    """B11, B22: the items complained about, and no money."""
    granted = offered(topic, severity="moderate")

    assert remedies_of(granted.options) == {
        "replace": {"replacement": {"items": SLABS}, "collection": {"items": SLABS}}
    }
    assert granted.consent_required


@pytest.mark.parametrize("topic", ["transport.damage", "goods.quality"])
def test_severe_damage_is_refunded_with_compensation_of_10_to_20_percent(topic: str) -> None:
    """B12, B22: in full, and the range at its low end."""
    granted = offered(topic, severity="severe")

    compensation = {"amount": "1280.00", "max_amount": "2560.00"}
    assert remedies_of(granted.options) == {"refund": {"refund": {"amount": "12800.00"}, "compensation": compensation}}
    assert granted.consent_required


def test_a_finding_says_which_items_are_affected_over_the_complaint() -> None:
    """B11, G3."""
    two = [{"sku": "SLATE-9", "quantity": 2}]

    assert options("transport.damage", severity="moderate", affected=two)["replace"]["replacement"] == {"items": two}


def test_every_item_is_affected_where_the_complaint_names_none() -> None:
    """B11, contract: `affected` absent means every item."""
    world = open_case(affected=None)

    world.says("assess", severity="moderate")

    assert world.options["replace"]["replacement"] == {"items": [{"sku": "SLATE-9", "quantity": 4}]}


def test_a_complaint_about_none_of_the_items_is_refused() -> None:
    """B11: nothing could be replaced."""
    with pytest.raises(InvalidInput, match="affected"):
        open_case(affected=[])


# Delay


@pytest.mark.parametrize("topic", DELAYS)
def test_less_than_a_day_late_is_explained_at_once(topic: str) -> None:
    """B13, §2: under 1 day explanation only."""
    granted = offered(topic, days_late=0, lost=False)

    assert remedies_of(granted.options) == {"wait": {"explanation": {"at_once": True}}}
    assert not granted.consent_required


@pytest.mark.parametrize("topic", DELAYS)
@pytest.mark.parametrize("days", [1, 2])
def test_one_or_two_days_late_are_explained_with_a_gift_at_once(topic: str, days: int) -> None:
    """B13."""
    granted = offered(topic, days_late=days, lost=False)

    assert remedies_of(granted.options) == {"wait": {"explanation": {"at_once": True}, "gift": {"at_once": True}}}
    assert not granted.consent_required


@pytest.mark.parametrize("topic", DELAYS)
@pytest.mark.parametrize(("days", "amount"), [(3, "384.00"), (4, "512.00"), (5, "640.00")])
def test_three_to_five_days_late_pay_1_percent_a_day_with_consent(topic: str, days: int, amount: str) -> None:
    """B14."""
    granted = offered(topic, days_late=days, lost=False)

    assert remedies_of(granted.options) == {"wait": {"explanation": {}, "compensation": {"amount": amount}}}
    assert granted.consent_required


@pytest.mark.parametrize("topic", DELAYS)
@pytest.mark.parametrize(("days", "amount"), [(6, "768.00"), (30, "3840.00"), (31, "3840.00"), (3650, "3840.00")])
def test_over_five_days_late_the_customer_chooses_and_daily_money_stops_at_30_percent(
    topic: str, days: int, amount: str
) -> None:
    """B15, and the cap of §2 on its 30th day."""
    granted = offered(topic, days_late=days, lost=False)

    assert remedies_of(granted.options) == {
        "wait": {"explanation": {}, "compensation": {"amount": amount}},
        "cancel": {"refund": {"amount": "12800.00"}, "compensation": {"amount": "640.00", "max_amount": "1280.00"}},
    }
    assert granted.consent_required


# Loss


@pytest.mark.parametrize("topic", DELAYS)
def test_a_confirmed_loss_is_refunded_with_20_to_30_percent_and_the_carrier_pursued_at_once(topic: str) -> None:
    """B16: even if the complaint was only about a delay."""
    granted = offered(topic, lost=True)

    compensation = {"amount": "2560.00", "max_amount": "3840.00"}
    assert remedies_of(granted.options) == {
        "refund": {"refund": {"amount": "12800.00"}, "compensation": compensation, "carrier_claim": {"at_once": True}}
    }
    assert granted.consent_required


def test_a_loss_complaint_waits_until_somebody_knows_whether_it_is_lost() -> None:
    """B16, G3: days late alone do not say."""
    assert offered("transport.loss", days_late=4).missing == ["lost"]


def test_a_parcel_that_is_not_lost_after_all_is_a_delay() -> None:
    """B16, §2: otherwise days late count."""
    assert offered("transport.loss", lost=False).missing == ["days_late"]


def test_the_trail_says_lost() -> None:
    """§2 *Loss*."""
    world = open_case("transport.loss", trail=a_trail(state="lost"))

    assert world.case.finding.lost is True
    assert world.offer.rule == "B16"


@pytest.mark.parametrize(
    ("still_for", "lost"), [(timedelta(days=10), True), (timedelta(days=10) - timedelta(seconds=1), False)]
)
def test_a_trail_that_has_not_moved_for_10_days_counts_as_lost(still_for: timedelta, lost: bool) -> None:
    """§2 *Loss*, both sides; on a delay complaint too."""
    trail = a_trail(promised_at=START - timedelta(days=4), events=moved(START - still_for))

    world = open_case("transport.delay", trail=trail)

    assert world.case.finding.lost is lost
    assert world.offer.rule == ("B16" if lost else "B14")


def test_a_delivered_parcel_is_never_lost_however_old_its_last_scan() -> None:
    """§2 *Loss*."""
    long_ago = START - timedelta(days=60)
    trail = a_trail(state="signed", promised_at=long_ago, delivered_at=long_ago, events=moved(long_ago))

    assert open_case("transport.loss", trail=trail).case.finding.lost is False


# Installation


def test_loose_screws_bring_a_crew_at_once_without_consent() -> None:
    """B17."""
    granted = offered("installation.defect", severity="minor")

    assert remedies_of(granted.options) == {"rectify": {"rectification": {"at_once": True}}}
    assert not granted.consent_required


def test_an_unsafe_installation_is_redone_at_once_and_its_money_waits_for_consent() -> None:
    """B18."""
    granted = offered("installation.defect", severity="severe")

    compensation = {"amount": "640.00", "max_amount": "1280.00"}
    assert remedies_of(granted.options) == {
        "reinstall": {"reinstallation": {"at_once": True}, "compensation": compensation}
    }
    assert granted.consent_required


def test_an_installation_under_a_day_late_is_explained_at_once() -> None:
    """B19, §2: under 1 day explanation only."""
    assert options("installation.delay", days_late=0) == {"wait": {"explanation": {"at_once": True}}}


@pytest.mark.parametrize("days", [1, 2])
def test_an_installation_one_or_two_days_late_gets_an_appointment_and_a_gift_at_once(days: int) -> None:
    """B19."""
    granted = offered("installation.delay", days_late=days)

    at_once = {"at_once": True}
    assert remedies_of(granted.options) == {"wait": {"explanation": at_once, "appointment": at_once, "gift": at_once}}
    assert not granted.consent_required


@pytest.mark.parametrize(("days", "amount"), [(3, "384.00"), (30, "3840.00"), (31, "3840.00")])
def test_an_installation_over_two_days_late_pays_1_percent_a_day_up_to_30_percent(days: int, amount: str) -> None:
    """B20."""
    granted = offered("installation.delay", days_late=days)

    assert remedies_of(granted.options) == {
        "wait": {"explanation": {}, "appointment": {}, "compensation": {"amount": amount}}
    }
    assert granted.consent_required


def test_the_installation_record_says_how_late_it_is() -> None:
    """G3, B19: days from the appointment to today, or to the installation."""
    promised = START - timedelta(days=3)
    late = InstallationRecord(installer="A", promised_at=promised)
    done = InstallationRecord(installer="A", promised_at=promised, installed_at=START - timedelta(days=1))

    assert open_case("installation.delay", installation=late).offer.rule == "B20"
    assert open_case("installation.delay", installation=done).offer.rule == "B19"


def test_a_rude_installer_is_apologised_for_with_a_coupon_of_2_percent_at_once() -> None:
    """B21: retraining is listed under prevention."""
    granted = offered("installation.attitude", upheld=True)

    coupon = {"amount": "256.00", "at_once": True}
    assert remedies_of(granted.options) == {"apology": {"apology": {"at_once": True}, "coupon": coupon}}
    assert not granted.consent_required
    prevention = building_materials().topics["installation.attitude"].prevention
    assert prevention is not None
    assert "trained" in prevention.en


@pytest.mark.parametrize(
    ("topic", "missing"),
    [
        ("transport.damage", "severity"),
        ("goods.quality", "severity"),
        ("installation.defect", "severity"),
        ("transport.delay", "days_late"),
        ("installation.delay", "days_late"),
        ("transport.loss", "lost"),
        ("installation.attitude", "upheld"),
    ],
)
def test_missing_findings_are_asked_for(topic: str, missing: str) -> None:
    """G3: nothing is guessed."""
    granted = offered(topic)

    assert granted.missing == [missing]
    assert granted.options == []


# Not upheld, and impossible


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_not_upheld_is_explained_and_closes_as_rejected(topic: str) -> None:
    """G4: for any topic and any other finding."""
    granted = offered(topic, upheld=False, days_late=9, lost=True, severity="severe")

    assert remedies_of(granted.options) == {"explain": {"explanation": {"at_once": True}}}
    assert granted.outcome is Outcome.REJECTED
    assert not granted.consent_required


def test_a_rejected_case_closes_by_itself_and_pays_nothing() -> None:
    """G4, G9."""
    world = open_case("transport.damage")

    world.says("assess", upheld=False, cause="the photos show another slab", by="li")

    assert (world.status, world.case.outcome) == (Status.CLOSED, Outcome.REJECTED)
    assert world.paid == 0
    assert [letter.event for letter in world.sent][-2:] == ["explanation", "report"]
    assert world.letters("offer") == []
    assert world.state("detailed_result") is PromiseState.KEPT


def test_an_installation_is_never_moderately_defective() -> None:
    """§2: for installations `minor` or `severe`; the refusal says so."""
    world = open_case("installation.defect")

    assert "severity: is minor or severe" in world.refuses("assess", severity="moderate")


def test_more_cannot_be_affected_than_was_ordered() -> None:
    """G3: neither of one item nor of one that was never ordered."""
    world = open_case()

    assert "more than was ordered (4)" in world.refuses("assess", affected=[{"sku": "SLATE-9", "quantity": 5}])
    assert "more than was ordered (0)" in world.refuses("assess", affected=[{"sku": "OTHER", "quantity": 1}])


def test_naming_an_item_twice_does_not_affect_more_than_was_ordered() -> None:
    """G3, B11: otherwise 8 slabs would be shipped for 4."""
    world = open_case()

    world.refuses("assess", severity="moderate", affected=[{"sku": "SLATE-9", "quantity": 4}] * 2)


def test_an_assessment_on_an_impossible_finding_is_refused_by_the_offer_itself() -> None:
    """G3: for every caller."""
    with pytest.raises(Refusal, match="severity"):
        offered("installation.defect", severity="moderate")


# Money


@pytest.mark.parametrize("kind", ["refund", "compensation", "coupon"])
@pytest.mark.parametrize("amount", ["0", "0.00", "-0", 0])
def test_an_agent_offers_no_payment_of_nothing(kind: str, amount: str | int) -> None:
    """G4, S16: nor together with other remedies; a case that once took such an offer still replays."""
    world, options = open_case(), [{"key": "own", "remedies": [{"kind": "apology"}, {"kind": kind, "amount": amount}]}]

    refusal = world.refuses("propose", options=options)

    assert refusal == f"propose: options.0.remedies.1: {kind} of 0.00 pays nothing: give an amount, or leave it out"
    read("propose", {"options": options}, holds=lambda _rule: False)


@pytest.mark.parametrize(
    ("amount", "coupon"), [("0.10", "0.01"), ("0.09", None), ("10.10", "0.51"), ("33.30", "1.67"), ("33.29", "1.66")]
)
def test_amounts_are_rounded_half_up_to_the_cent_once_and_nothing_is_paid_of_nothing(
    amount: str, coupon: str | None
) -> None:
    """B10, S16: 5 % of 0.10 is half a cent and rounds up; of 0.09 it is no coupon at all."""
    granted = offered("transport.damage", order={"amount": amount, "freight": "0.00", "items": []}, severity="minor")

    paid = remedies_of(granted.options)["repair"].get("coupon")
    assert paid == (None if coupon is None else {"amount": coupon})


@pytest.mark.parametrize(("amount", "coupon"), [("1010.00", "51.00"), ("1009.00", "50.00"), ("1030.00", "52.00")])
def test_yen_are_rounded_to_whole_yen(amount: str, coupon: str) -> None:
    """S16: 50.5 yen are 51."""
    order = {"amount": amount, "freight": "0.00", "currency": "JPY", "items": []}

    granted = offered("transport.damage", order=order, severity="minor")

    assert remedies_of(granted.options)["repair"]["coupon"] == {"amount": coupon}


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1001.00"), ("CLP", "1001.00"), ("HUF", "1000.51")])
def test_rounding_never_refunds_more_than_was_paid(currency: str, amount: str) -> None:
    """S14, S30: what was paid is refunded as it was paid."""
    order = {"amount": amount, "freight": "0.00", "currency": currency, "items": []}

    granted = offered("transport.damage", order=order, severity="severe")

    assert remedies_of(granted.options)["refund"]["refund"] == {"amount": amount}


def test_what_was_refunded_before_is_not_granted_again() -> None:
    """S14: only the rest is refunded, and nothing if nothing is left."""
    world = open_case()
    policy, complaint = world.case.policy, world.case.complaint
    severe = PartialFinding.model_validate({"severity": "severe"})

    some = assess(policy, complaint, severe, refunded=Decimal("12000.00"))
    none = assess(policy, complaint, severe, refunded=Decimal("12800.00"))

    assert remedies_of(some.options)["refund"]["refund"] == {"amount": "800.00"}
    assert "refund" not in remedies_of(none.options)["refund"]
