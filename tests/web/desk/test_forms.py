"""Forms are made from the models of messages: what is filled in arrives as the payload that the contract states."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cases.inbox.messages import MESSAGES
from records import Records
from tests.cases import stages
from tests.cases.world import open_case
from tests.garbage import WHOLE
from tests.web.desk.conftest import Browser, Cases
from web.desk import forms

ZONE = ZoneInfo("Asia/Shanghai")
SCRIPT = "<script>alert(1)</script>"


def as_sent(form: forms.Form, payload: dict[str, Any]) -> dict[str, str]:
    """The fields that a browser sends for a payload."""
    found: dict[str, str] = {}
    for each in form.fields:
        outer, _, inner = each.name.partition(".")
        value = payload.get(outer)
        value = value.get(inner) if inner and value else value
        if value is None:
            found[each.name] = ""
        elif each.kind == "rows":
            for number, row in enumerate(forms._rows(each.name, value)):  # noqa: SLF001 (the inverse)
                found |= {f"{each.name}.{column}.{number}": text for column, text in row.items()}
            if each.name == "evidence":
                found |= {f"evidence.uri.{n}": item["uri"] for n, item in enumerate(value)}
        else:
            found[each.name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


@pytest.mark.parametrize("name", MESSAGES)
def test_form_has_every_field_of_its_message(name: str) -> None:
    shown = {each.name.partition(".")[0] for each in forms.form_of(name).fields}

    assert shown == MESSAGES[name].model_fields.keys() - forms.SET_BY_US


@pytest.mark.parametrize("name", MESSAGES)
def test_filled_in_form_is_the_payload_of_the_contract(name: str) -> None:
    wanted = {key: value for key, value in WHOLE[name].items() if key != "by"}
    if name == "propose":
        wanted["options"][0]["remedies"][0].pop("max_amount", None)  # an agent offers one amount
    form = forms.form_of(name)

    payload = forms.filled(form, as_sent(form, wanted), ZONE)

    assert payload == wanted
    assert not forms.find_faults(form, payload)


@pytest.mark.parametrize("name", MESSAGES)
def test_empty_form_sends_nothing_and_names_what_is_required(name: str) -> None:
    form = forms.form_of(name)

    payload = forms.filled(form, {}, ZONE)

    assert payload == {}
    faulty = forms.find_faults(form, payload)
    required = {field for field, info in MESSAGES[name].model_fields.items() if info.is_required()} - {"by"}
    assert faulty == bool(required)
    assert {each.name for each in form.fields if each.fault} == required


def test_names_and_ids_have_one_line_and_remarks_several() -> None:
    kinds = {each.name: each.kind for name in ("assign", "note", "move-policy") for each in forms.form_of(name).fields}

    assert kinds | {"occurred_at": "time"} == {
        "team": "text", "owner": "text", "version": "text", "text": "long", "reason": "long", "occurred_at": "time"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [("goods_value", "1.234"), ("days_late", "-1"), ("hours_late", "soon"), ("cause", "x" * 1001)]
)
def test_fault_is_beside_its_field(field: str, value: str) -> None:
    form = forms.form_of("assess")

    assert forms.find_faults(form, forms.filled(form, {field: value}, ZONE))

    assert [each.name for each in form.fields if each.fault] == [field]


def test_time_without_an_offset_is_in_the_zone_of_the_reader() -> None:
    form = forms.form_of("note")

    payload = forms.filled(form, {"text": "x", "occurred_at": "2026-11-18T09:30"}, ZONE)

    assert payload["occurred_at"] == "2026-11-18T09:30:00+08:00"


def version(page: str) -> str:
    found = re.search(r'name="version" value="([^"]+)"', page)
    assert found
    return found[1]


async def test_message_is_signed_by_the_session_and_not_by_the_form(agent: Browser, kept: Cases) -> None:
    kept.put(open_case())
    shown = (await agent.get("/desk/cases/HL-1/send/note")).text

    answer = await agent.submit(
        "/desk/cases/HL-1/send/note", version=version(shown), once="1", text="hello", by="somebody else"
    )

    assert answer.headers["location"] == "/desk/cases/HL-1?done=note"
    [(_, name, payload)] = kept.sent
    assert (name, payload) == ("note", {"text": "hello", "by": "李娜", "message_id": "desk-1"})


async def test_form_that_is_sent_twice_is_applied_once(agent: Browser, kept: Cases) -> None:
    """S31."""
    kept.put(open_case())
    shown = (await agent.get("/desk/cases/HL-1/send/note")).text
    fields = {"version": version(shown), "once": "1", "text": "hello"}
    await agent.submit("/desk/cases/HL-1/send/note", **fields)

    again = await agent.submit("/desk/cases/HL-1/send/note", **fields)

    assert again.status_code == 409
    assert [entry.text for entry in kept.worlds["HL-1"].case.timeline if entry.what == "note"] == ["hello"]


async def test_stale_form_is_refused_with_what_is_new_and_keeps_what_was_typed(agent: Browser, kept: Cases) -> None:
    world = kept.put(open_case())
    shown = (await agent.get("/desk/cases/HL-1/send/note")).text
    world.says("note", text="somebody was faster", by="wang")

    answer = await agent.submit("/desk/cases/HL-1/send/note", version=version(shown), text="my long remark")

    assert answer.status_code == 409
    assert "somebody was faster" in answer.text
    assert "my long remark" in answer.text
    assert kept.sent == []
    again = await agent.submit("/desk/cases/HL-1/send/note", version=version(answer.text), text="my long remark")
    assert again.status_code == 303


async def test_what_happens_by_itself_refuses_no_form(agent: Browser, kept: Cases) -> None:
    world = kept.put(open_case())
    shown = (await agent.get("/desk/cases/HL-1/send/note")).text
    world.after(hours=40)
    assert [entry.what for entry in world.case.timeline][-1] == "escalated"

    answer = await agent.submit("/desk/cases/HL-1/send/note", version=version(shown), text="a remark")

    assert answer.status_code == 303


async def test_sentence_of_the_case_is_shown_where_it_refuses(agent: Browser, kept: Cases, records: Records) -> None:
    kept.put(open_case())
    shown = (await agent.get("/desk/cases/HL-1/send/customer-approved")).text

    answer = await agent.submit("/desk/cases/HL-1/send/customer-approved", version=version(shown))

    refusal = kept.worlds["HL-1"].refuses("customer-approved", by="李娜")
    assert answer.status_code == 409
    assert refusal in answer.text
    assert records.acts(1)[0].refused == refusal


async def test_agent_assesses_and_sees_before_what_it_would_offer(agent: Browser, kept: Cases) -> None:
    kept.put(open_case())
    shown = (await agent.get("/desk/cases/HL-1")).text

    preview = await agent.submit("/desk/cases/HL-1/preview", severity="minor")
    answer = await agent.submit("/desk/cases/HL-1/send/assess", version=version(shown), severity="minor")

    assert "640.00" in preview.text
    assert answer.status_code == 303
    assert kept.worlds["HL-1"].case.offers


async def test_score_is_chosen_and_closes_the_case(agent: Browser, kept: Cases) -> None:
    """G8."""
    world = kept.put(stages.following_up())
    shown = (await agent.get("/desk/cases/HL-1")).text

    answer = await agent.submit("/desk/cases/HL-1/send/satisfaction-reported", version=version(shown), score="5")

    assert answer.status_code == 303
    assert world.case.outcome == "satisfied"


async def test_four_eyes_person_who_proposed_cannot_approve(agent: Browser, kept: Cases) -> None:
    """G4, S20."""
    kept.put(open_case())
    await agent.log_in("陈静")
    shown = (await agent.get("/desk/cases/HL-1/send/propose")).text
    fields = {
        "options.key.0": "more",
        "options.kind.0": "coupon",
        "options.amount.0": "700.00",
        "version": version(shown),
    }
    proposed = await agent.submit("/desk/cases/HL-1/send/propose", **fields)
    assert proposed.status_code == 303, proposed.text
    assert "您提出" in (await agent.get("/desk/approvals", headers={"accept-language": "zh"})).text

    shown = (await agent.get("/desk/cases/HL-1/send/approve")).text
    answer = await agent.submit("/desk/cases/HL-1/send/approve", version=version(shown))

    assert answer.status_code == 409
    assert kept.worlds["HL-1"].case.status == "awaiting_approval"


async def test_after_a_call_the_note_keeps_the_promise_if_the_customer_was_reached(agent: Browser, kept: Cases) -> None:
    """G2."""
    kept.put(open_case())
    for reached, name in (("true", "contact-made"), ("false", "note")):
        shown = (await agent.get("/desk/cases/HL-1/send/call")).text
        await agent.submit(
            "/desk/cases/HL-1/send/call", version=version(shown), text="spoke", reached=reached, once=name
        )
        assert kept.sent[-1][1] == name


async def test_script_in_every_field_stays_text(agent: Browser, kept: Cases) -> None:
    customer = {"name": f"A{SCRIPT}", "phone": f"1{SCRIPT}", "email": f"{SCRIPT}@x.example", "locale": "zh-CN"}
    item = {"sku": f"S{SCRIPT}", "name": SCRIPT, "quantity": 4, "unit_price": "3125.00"}
    order = {"order_id": f"O{SCRIPT}", "carrier": SCRIPT, "tracking_no": SCRIPT, "items": [item]}
    world = kept.put(
        open_case(
            customer=customer,
            description=SCRIPT,
            order=order,
            evidence=[{"kind": "photo", "uri": SCRIPT}],
            affected=None,
        )
    )
    world.says("note", text=SCRIPT, by=f"B{SCRIPT}")
    world.says("assign", owner=f"C{SCRIPT}", team=f"t{SCRIPT}")
    world.says("assess", severity="moderate", cause=SCRIPT, note=SCRIPT, by=f"B{SCRIPT}")
    kept._write(world)  # noqa: SLF001 (its row)
    shown = (await agent.get("/desk/cases/HL-1/send/note")).text
    await agent.submit("/desk/cases/HL-1/send/note", version="stale", text=SCRIPT, occurred_at=SCRIPT)
    await agent.submit("/desk/views", name=SCRIPT, query=f"q={SCRIPT}")

    for path in ("/desk", f"/desk?q={SCRIPT}", "/desk/cases/HL-1", "/desk/cases/HL-1/send/propose", "/desk/approvals"):
        answer = await agent.get(path)
        assert answer.status_code == 200, path
        assert SCRIPT not in answer.text, path
    stale = await agent.submit("/desk/cases/HL-1/send/note", version="stale-0", text=SCRIPT)
    assert SCRIPT not in shown + stale.text
    assert "&lt;script&gt;" in stale.text


STAGES = {
    "assessing": stages.assessing,
    "escalated": stages.escalated,
    "over_limits": stages.over_limits,
    "executing": stages.executing,
    "blocked": stages.blocked,
    "following_up": stages.following_up,
    "dissatisfied": stages.dissatisfied,
    "closed": stages.closed,
}


async def test_case_is_shown_at_every_stage_in_every_language(agent: Browser, kept: Cases) -> None:
    for stage in STAGES.values():
        kept.put(stage())
        for language in ("en", "zh-CN"):
            for path in ("/desk", "/desk?closed=1", "/desk/cases/HL-1", "/desk/approvals", "/desk/cases/HL-1/pulse"):
                answer = await agent.get(path, headers={"accept-language": language})
                assert answer.status_code == 200
                assert f'<html lang="{language}"' in answer.text or "<html" not in answer.text


async def test_every_form_is_shown(agent: Browser, kept: Cases) -> None:
    kept.put(stages.blocked())

    for name in ("call", *(MESSAGES.keys() - {"approve", "reject", "move-policy"})):
        assert (await agent.get(f"/desk/cases/HL-1/send/{name}")).status_code == 200


async def test_unknown_message_has_no_form(agent: Browser, kept: Cases) -> None:
    kept.put(open_case())

    assert (await agent.get("/desk/cases/HL-1/send/delete-everything")).status_code == 404
