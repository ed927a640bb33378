"""Check money and goods: the partners' records first, then our ledger and the cases.

A row of the partners' records is *valid* unless the partner last reported it as failed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import policies
from cases.complaint import Complaint
from cases.entitlement.granting import sums_of
from cases.entitlement.payout_limits import manager_limit
from cases.policy.amounts import evaluate, needs
from cases.policy.policy import Policy
from cases.policy.remedy_kinds import GOODS, MONEY, PAYOUTS, SHIPMENTS, TO_SOURCE
from cases.state.finding import PartialFinding
from records import EntryState
from settings import Settings
from tests.faults.evidence import Evidence
from tests.faults.people import Life

Found = Iterator[tuple[str, str]]
Row = dict[str, Any]


def rules(lives: list[Life], reset: set[str], evidence: Evidence) -> dict[str, Found]:
    """Return each rule with the cases that break it, and how."""
    return {
        "carried out twice": _doubles(evidence),
        "paid beyond what was agreed": _overpaid(lives, reset, evidence),
        "refunded beyond what was paid": _refunded(lives, evidence),
        "paid beyond the order's limit": _over_limit(lives, evidence),
        "made good more often than bought": _units(lives, evidence),
        "collected, but nothing was sent": _collected(lives, evidence),
        "ledger disagrees with the partner": _ledger(reset, evidence),
        "case disagrees with the partner": _cases(reset, evidence),
        "taken back, and not reported": _taken_back(reset, evidence),
    }


def _valid(evidence: Evidence) -> list[Row]:
    return [row for row in evidence.steps if row["state"] != "failed"]


def _business(key: str) -> str:
    """Return `case/cycle/offer/step`: a key without its attempt number."""
    return "/".join(key.split("/")[:4])


def _doubles(evidence: Evidence) -> Found:
    """S13, S25: a step of an offer is carried out once; again only if its last state before was `failed`."""
    by_key = Counter((row["case_id"], row["key"]) for row in evidence.steps)
    by_step = Counter((row["case_id"], _business(row["key"])) for row in _valid(evidence))
    for (case_id, key), count in (by_key | by_step).items():
        if count > 1:
            yield case_id, f"{key} was carried out {count} times"


def _offers(lives: list[Life], reset: set[str], evidence: Evidence) -> dict[str, list[Row]]:
    """Return the offers of each case; for a reset case also those that only its people have seen."""
    return {
        life.case_id: [
            *evidence.ends.get(life.case_id, {}).get("offers", []),
            *(life.offers if life.case_id in reset else []),
        ]
        for life in lives
    }


def _overpaid(lives: list[Life], reset: set[str], evidence: Evidence) -> Found:
    """G5, S13: each payment belongs to an agreed option and does not exceed it."""
    agreed = _offers(lives, reset, evidence)
    for row in _valid(evidence):
        if row["kind"] not in MONEY:
            continue
        granted = [
            Decimal(remedy["amount"])
            for offer in agreed[row["case_id"]]
            if offer["id"] == row["key"].split("/")[2]
            for option in offer["options"]
            for remedy in option["remedies"]
            if remedy["kind"] == row["kind"] and (option["key"] == offer["accepted"] or remedy["at_once"])
        ]
        if not granted or Decimal(row["amount"]) > max(granted):
            yield row["case_id"], f"{row['key']}: {row['amount']} was paid, granted were {granted}"


def _of_orders(lives: list[Life], evidence: Evidence) -> Iterator[tuple[list[Life], list[Row]]]:
    """Yield the cases of each order, and its valid rows in the partners' records."""
    prefixes: dict[str, list[Life]] = defaultdict(list)
    for life in lives:
        if life.scenario.order_id:
            prefixes[life.scenario.order_id].append(life)
    booked: dict[str, list[Row]] = defaultdict(list)
    for row in _valid(evidence):
        booked[row["order_id"]].append(row)
    for order_id, rows in booked.items():
        yield prefixes[order_id], rows


def _sum(rows: list[Row], kinds: frozenset[Any]) -> Decimal:
    return sum((Decimal(row["amount"]) for row in rows if row["kind"] in kinds), Decimal(0))


def _refunded(lives: list[Life], evidence: Evidence) -> Found:
    """S14, S15: over all cases of an order, refunds do not exceed what was paid."""
    for cases, rows in _of_orders(lives, evidence):
        paid = Decimal(cases[0].scenario.complaint["order"]["amount"])
        if (back := _sum(rows, TO_SOURCE)) > paid:
            yield rows[0]["case_id"], f"order {rows[0]['order_id']}: {back} of {paid} was refunded"


def _over_limit(lives: list[Life], evidence: Evidence) -> Found:
    """S15: over all cases of an order, payments besides refunds stay within the policy's or the manager's limit."""
    for cases, rows in _of_orders(lives, evidence):
        raised = any(_approved(row, evidence) for row in rows)
        most = max(_limit(in_force()[life.scenario.complaint["line"]], life, raised=raised) for life in cases)
        if (paid := _sum(rows, PAYOUTS)) > most:
            yield rows[0]["case_id"], f"order {rows[0]['order_id']}: {paid} was paid besides refunds, {most} may be"


@cache
def in_force() -> dict[str, Policy]:
    """Return the policies by line."""
    return policies.load(Settings().policies)


def _limit(policy: Policy, life: Life, *, raised: bool) -> Decimal:
    # The only statement of the goods' value in these scenarios.
    worth = PartialFinding(goods_value=life.scenario.finding.get("goods_value"))
    complaint = Complaint.model_validate(life.scenario.complaint)
    sums = sums_of(policy, complaint, worth)
    known = (evaluate(text, sums)[1] for text in policy.compensation_limit if not needs(text, sums))
    limit = next(known, Decimal(0))
    return max(limit, manager_limit(policy, complaint)) if raised else limit


def _approved(row: Row, evidence: Evidence) -> bool:
    """Return whether a second person approved more than the policy grants: for the offer, or for the step."""
    end = evidence.ends.get(row["case_id"], {})
    # A carrier claim has a separate key and no offer.
    offers = [offer for offer in end.get("offers", []) if offer["id"] in row["key"].split("/")[2:3]]
    prepared = {offer.get("made_by") for offer in offers}
    prepared |= {fact.get("by") for fact in end.get("finding", {}).get("facts", [])}
    retried = [
        entry.get("by")
        for entry in end.get("timeline", [])
        if entry["what"] == "step resolved" and entry["text"].startswith(f"{row['step']}: retry")
    ]
    return any(offer.get("over_limits") for offer in offers) or any(by and by not in prepared for by in retried)


def _units(lives: list[Life], evidence: Evidence) -> Found:
    """S35: over all cases of an order, no unit is made good more often than it was bought.

    Refunds name no units, so the value of sent goods plus refunds must not exceed what was paid.
    """
    for cases, rows in _of_orders(lives, evidence):
        order = cases[0].scenario.complaint["order"]
        bought = {item["sku"]: item for item in order.get("items", [])}
        sent: Counter[str] = Counter()
        counted = [row for row in rows if not _approved(row, evidence)]
        for item in (item for row in counted if row["kind"] in SHIPMENTS for item in row["items"]):
            sent[item["sku"]] += item["quantity"]
        if over := {sku: count for sku, count in sent.items() if count > bought[sku]["quantity"]}:
            yield rows[0]["case_id"], f"order {order['order_id']}: {over} sent again, more than bought"
        worth = sum((Decimal(bought[sku]["unit_price"]) * count for sku, count in sent.items()), Decimal(0))
        if sent and (made_good := worth + _sum(counted, TO_SOURCE)) > Decimal(order["amount"]):
            yield rows[0]["case_id"], f"order {order['order_id']}: {made_good} of {order['amount']} was made good"


def _collected(lives: list[Life], evidence: Evidence) -> Found:
    """S28: goods are collected because others were sent in their place, or because they are returned."""
    agreed = _offers(lives, {life.case_id for life in lives}, evidence)
    for row in _valid(evidence):
        if row["kind"] != "collection":
            continue
        case_id, cycle, offer_id, _ = row["key"].split("/")[:4]
        expected = {
            remedy["kind"]
            for offer in agreed[case_id]
            if offer["id"] == offer_id
            for option in offer["options"]
            if option["key"] == offer["accepted"]
            for remedy in option["remedies"]
        } & SHIPMENTS
        offer = f"{case_id}/{cycle}/{offer_id}/"
        sent = [each for each in evidence.steps if each["kind"] in SHIPMENTS and each["key"].startswith(offer)]
        if expected and not sent:
            yield case_id, f"{row['key']}: the old goods were collected, but no {' or '.join(expected)} was sent"


def _ledger(reset: set[str], evidence: Evidence) -> Found:
    """S13, S15, S26: payments in our ledger match the partner's records; nothing stays reserved at the end.

    A reset case may have forgotten a payment before it was recorded. It stays reserved, which is on the safe side.
    """
    settled = evidence.closed - reset
    booked = {row["key"]: row["reference"] for row in evidence.steps}
    ours = {e["key"]: e for e in evidence.entries}
    for key, entry in ours.items():
        # Goods that were reported before the call was answered may have the reporter's name as reference.
        same = key in booked if entry["kind"] not in MONEY else booked.get(key) == entry["reference"]
        if entry["state"] is EntryState.COMMITTED and not same:
            yield entry["case_id"], f"{key} is in our ledger as {entry['reference']}, the partner has {booked.get(key)}"
        if entry["state"] is EntryState.RESERVED and entry["case_id"] in settled:
            yield entry["case_id"], f"{key} stays reserved, and its case is closed"
    for row in _valid(evidence):
        known = ours.get(row["key"])
        if row["kind"] not in MONEY or row["case_id"] not in settled:
            continue
        if known is None or known["state"] is not EntryState.COMMITTED:
            yield row["case_id"], f"{row['key']} was paid, and our ledger says {known and known['state']}"


def _cases(reset: set[str], evidence: Evidence) -> Found:
    """S25, S26: what a closed case shows as paid, sent or collected matches the partners' records."""
    for case_id in evidence.closed - reset:
        ours = {
            _business(step["key"]): step["state"]
            for step in evidence.ends.get(case_id, {}).get("steps", [])
            if step["kind"] in MONEY | GOODS and not _is_contested(evidence, step["key"])
        }
        theirs = {
            _business(row["key"])
            for row in _valid(evidence)
            if row["case_id"] == case_id and row["kind"] in MONEY | GOODS and not _is_contested(evidence, row["key"])
        }
        for key in sorted(theirs | ours.keys()):
            if (key in theirs) != (ours.get(key) == "done"):
                partner = "recorded" if key in theirs else "not recorded"
                yield case_id, f"{key} is {ours.get(key)}, and {partner} by the partner"


def taken_back(row: Row) -> bool:
    """Return whether a payment was done and failed afterwards."""
    return row["kind"] in MONEY and row["first"] == "done" and row["state"] == "failed"


def _taken_back(reset: set[str], evidence: Evidence) -> Found:
    """S27: a payment that failed after it was done is contested in our ledger, and the case needs a person.

    Both hold until a person has resolved it.
    """
    for row in evidence.steps:
        if not taken_back(row) or row["case_id"] in reset:
            continue
        end = evidence.ends.get(row["case_id"], {})
        state = next((entry["state"] for entry in evidence.entries if entry["key"] == row["key"]), None)
        resolved = any(
            entry["what"] == "step resolved" and entry["text"].startswith(f"{row['step']}:")
            for entry in end.get("timeline", [])
        )
        if resolved and state != EntryState.COMMITTED:
            continue
        if not _is_contested(evidence, row["key"]):
            yield row["case_id"], f"{row['key']} was taken back, and our ledger says {state}"
        if row["case_id"] not in evidence.closed and not any(row["step"] in str(need) for need in end.get("needs", [])):
            yield row["case_id"], f"{row['key']} was taken back, and no need of the case mentions it"


def _is_contested(evidence: Evidence, key: str) -> bool:
    return any(entry["key"] == key and entry["state"] == "contested" for entry in evidence.entries)
