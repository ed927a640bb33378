"""A fixed data set: two months of invented cases with everything that a review counts."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, insert

from cases.views.facts import Fault
from cases.vocabulary import Outcome, RemedyKind
from records import Records
from records.facts.tables import case_facts, promise_facts
from records.facts.writing import BY_THESE_RULES
from review.making import Wanted
from review.period import Period

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31), ZONE)
WANTED = Wanted(OCTOBER, NOW)
TOPICS = {
    "building_materials": ["transport.damage", "transport.delay", "installation.defect"],
    "fresh_food": ["goods.damage", "transport.delay"],
    "organic_food": ["inquiry", "goods.quality", "return.quality"],
}
CARRIERS = ["闽江物流", "Slow Freight", "长风快运", "Ocean & Sons", "北斗货运", "Swift"]
BAD_CARRIER, BAD_TEAM = "Slow Freight", "returns"
TEAMS = ["logistics", "quality", "customer_service", "warehouse", "installation", "returns"]
RULES = {
    "building_materials": ("B1", "B4"),
    "fresh_food": ("F1", "F2"),
    "organic_food": ("O1", "O3"),
}


def fill(url: str, cases: int = 1_500) -> Records:
    """Return our records with that many cases. The same number gives the same cases."""
    records = Records(url)
    made = [_case(random.Random(number), number) for number in range(cases)]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(case_facts), [facts for facts, _ in made])
        connection.execute(insert(promise_facts), [promise for _, promises in made for promise in promises])
    engine.dispose()
    for facts, _ in made:
        number = int(facts["case_id"].removeprefix("HL-"))
        if facts["closed_at"] and number % 40 == 0:
            _pay(records, facts, number)
    return records


def _case(chance: random.Random, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    line = chance.choice(list(TOPICS))
    topic = chance.choice(TOPICS[line])
    received = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(60 * 24 * 60))
    resolved = chance.randrange(3_600, 400_000)
    closed = None if number % 25 == 0 else received + timedelta(seconds=resolved + chance.randrange(3_600))
    carrier = chance.choice(CARRIERS) if topic.startswith("transport") else None
    worse = carrier == BAD_CARRIER
    party = chance.choices(["delivery", "warehouse", None], [6 if worse else 2, 2, 3])[0] if carrier else None
    outcome = chance.choices([*Outcome], [60, 8, 6, 4, 4, 10, 8])[0] if closed else None
    answered = outcome in (Outcome.SATISFIED, Outcome.NEUTRAL)
    first_answer = None if number % 97 == 0 else chance.randrange(5, 4_000)
    facts = {
        "case_id": f"HL-{number:05}",
        "digest": f"{BY_THESE_RULES}{number}",
        "line": line,
        "topic": topic,
        "channel": chance.choice(["app", "hotline", "wechat"]),
        "team": chance.choice(TEAMS),
        "owner": chance.choice(["李娜", "chen", "zhao", None]),
        "order_id": f"SO-{chance.randrange(900)}",
        "carrier": carrier,
        "route": f"R-{chance.randrange(8)}" if carrier else None,
        "warehouse": f"WH-{chance.randrange(4)}",
        "crew": chance.choice(["crew-1", "crew-2"]) if topic.startswith("installation") else None,
        "product": f"=SKU-{chance.randrange(30)}",
        "party": party,
        "cause": chance.choice(["暴雨封路", "装车时堆压", None, None]) if number % 500 else f"只此一例 {number}",
        "received_at": received,
        "opened_at": received,
        "closed_at": closed,
        "outcome": outcome and outcome.value,
        "to_acknowledge": first_answer,
        "to_offer": first_answer and first_answer + chance.randrange(50_000),
        "to_resolve": resolved if closed and outcome not in (Outcome.WITHDRAWN, Outcome.NO_RESPONSE) else None,
        "score": chance.choice([4, 5] if outcome is Outcome.SATISFIED else [3]) if answered else None,
        "follows": number % 61 == 0,
        "cycles": 2 if number % 53 == 0 else 1,
    }
    return facts, [_promise(chance, facts, place) for place in range(3)]


def _promise(chance: random.Random, case: dict[str, Any], place: int) -> dict[str, Any]:
    rule = (*RULES[case["line"]], "G7")[place]
    name = ("acknowledge", "solution" if rule == "O3" else "detailed_result", "progress_update")[place]
    worse = case["team"] == BAD_TEAM
    state = chance.choices(["kept", "broken", "void", "open"], [82, 24 if worse else 7, 8, 3])[0]
    due = case["received_at"] + timedelta(hours=1 + 48 * place)
    return {
        "case_id": case["case_id"],
        "number": place,
        "name": name,
        "rule": rule,
        "state": state,
        "due_at": None if state == "open" and place == 2 else due,
        "kept_at": due - timedelta(minutes=5) if state == "kept" else None,
        "fault": chance.choices([*Fault], [7, 2, 1])[0].value if state == "broken" else None,
    }


def _pay(records: Records, case: dict[str, Any], number: int) -> None:
    key = f"{case['case_id']}/1/o1/compensation"
    records.reserve(
        key,
        order_id=f"PAID-{number}",
        case_id=case["case_id"],
        kind=RemedyKind.COMPENSATION,
        amount=Decimal(f"{number % 90 + 1}.50"),
        currency="CNY",
        paid=Decimal(1000),
    )
    records.commit(key, f"REF-{number}")
    if case["carrier"]:
        records.record_claim(
            case["case_id"],
            f"PAID-{number}",
            case["carrier"],
            "closed",
            claimed=Decimal(100),
            currency="CNY",
            recovered=Decimal(number % 3 * 50),
        )
