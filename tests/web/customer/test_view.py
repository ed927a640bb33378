"""What the page says: plain words in the customer's language, nothing internal, text as text, few bytes."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from cases.views.snapshot import Snapshot
from tests.cases import stages
from tests.cases.world import World, in_force, open_case
from tests.web.customer.conftest import CasesInMemory, Customer
from web.customer.view import view_of
from web.pages.reader import Reader
from web.pages.static_files import files

STAGES = {
    name: getattr(stages, name)
    for name in (
        "assessing", "escalated", "offered", "over_limits", "executing", "replaced", "blocked", "paid_out",
        "following_up", "dissatisfied", "closed",
    )
}  # fmt: skip
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def view(world: World, locale: str = "en") -> Any:
    seen = Snapshot.of(world.case)
    return view_of(seen, in_force().get(seen.line or ""), Reader(locale, "Asia/Shanghai", datetime.now(UTC)))


def late_by_an_hour() -> World:
    return stages.assessing().after(hours=49)


@pytest.mark.parametrize(
    ("stage", "headline"),
    {
        "assessing": "We are looking into it",
        "over_limits": "We are looking into it",
        "offered": "We have an offer for you",
        "executing": "We are putting it right",
        "following_up": "Done. Is everything all right?",
        "dissatisfied": "We are looking into it again",
        "closed": "Your case is closed",
    }.items(),
)
def test_headline_says_where_the_case_stands(stage: str, headline: str) -> None:
    assert view(STAGES[stage]()).headline == headline


def test_lead_names_the_time_of_the_result() -> None:
    assert view(stages.assessing()).lead == "You will have our result by 20 Nov, 09:00."
    assert view(stages.assessing(), "zh-CN").lead == "我们会在 11月20日 09:00前向您反馈处理结果。"


def test_photos_that_are_awaited_come_first_with_what_they_delay() -> None:
    """G11: the clock stands still until the customer has sent them."""
    seen = view(open_case("goods.damage", line="fresh_food"))

    assert seen.headline == "We need something from you"
    assert seen.lead == "To go on, we need photos. Until then the time that we promised stands still."
    assert [line.kind for line in seen.promises if line.state == "Stands still"] == ["paused"]


def test_broken_promise_is_admitted() -> None:
    seen = view(late_by_an_hour())

    assert seen.late
    assert "Detailed result" in seen.late or "detailed result" in seen.late
    assert [line.detail for line in seen.promises if line.kind == "broken"] == ["by 20 Nov, 09:00"]


def test_kept_promises_show_when_they_were_kept() -> None:
    kept = [line for line in view(stages.offered()).promises if line.kind == "kept"]

    assert [(line.text, line.detail) for line in kept if "result" in line.text] == [
        ("Detailed result", "by 20 Nov, 09:00 · done 18 Nov, 09:00")
    ]


def test_goods_have_their_names_and_money_its_currency() -> None:
    world = open_case()
    world.says("assess", severity="severe", by="li")

    lines = [line for choice in view(world).choices for line in choice.lines]

    assert lines == ["Refund of CN¥12,800.00", "Compensation of CN¥1,280.00"]
    assert [line for choice in view(stages.offered()).choices for line in choice.lines] == [
        "Replacement (Slate × 1)",
        "Pick-up of the goods (Slate × 1)",
    ]


def test_what_happened_is_in_plain_words() -> None:
    assert [event.text for event in view(stages.following_up()).events] == [
        "We received your message.",
        "We confirmed your message.",
        "We made you an offer.",
        "You accepted our offer.",
        "Replacement (Slate × 1): done",
        "Pick-up of the goods (Slate × 1): done",
    ]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_page_is_whole_light_and_without_anything_internal(customer_of: Any, stage: str, locale: str) -> None:
    world = STAGES[stage]()
    world.case.owner, world.case.team = "Zhang Owner", "secret_team"
    world.says("note", text="internal remark", by="Zhang Owner") if stage != "closed" else None
    customer: Customer = customer_of(world)

    answer = await customer.opens(lang=locale)

    assert answer.status_code == 200
    assert f'<html lang="{locale}">' in answer.text
    _Checked().feed(answer.text)
    for internal in ("Zhang", "secret_team", "internal remark", "13800000000", "Wei Li", "None", "{", "}"):
        assert internal not in answer.text, internal
    if locale == "zh-CN":
        words = re.sub(r"<[^>]+>|HL-1|Asia/Shanghai|JPEG|PNG|Slate|UTC|P-\d+|English|CN¥", "", answer.text)
        assert not re.search(r"[A-Za-z]{3,}", words.partition("</head>")[2]), "not translated"
    styles = sum(len(files()[name].content) for name in ("base.css", "customer.css"))
    assert len(answer.content) + styles < 60_000


class _Checked(HTMLParser):
    """Fails for a field without a label, and for an element that is closed without having been opened."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (identity := given.get("id")) is not None:
            assert identity not in self.ids, f"two elements are {identity}"
            self.ids.add(identity)
        if tag not in {"meta", "link", "input", "img", "br", "path"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


async def test_page_is_in_the_language_of_the_customer_unless_they_choose_another(customer_of: Any) -> None:
    chinese: Customer = customer_of(open_case())
    english: Customer = customer_of(
        open_case(case_id="HL-2", customer={"name": "Ann", "phone": "13800000000", "locale": "en-GB"})
    )

    assert "正在核实您的问题" in (await chinese.http.get(chinese.path, headers={"accept-language": "en"})).text
    assert "We are looking into it" in (await chinese.opens(lang="en")).text
    assert "We are looking into it" in (await english.http.get(english.path)).text


async def test_script_in_every_text_is_text(customer_of: Any) -> None:
    world = open_case(
        customer={"name": SCRIPT, "phone": "13800000000"},
        description=SCRIPT,
        order={"items": [{"sku": "SLATE-9", "name": SCRIPT, "quantity": 4, "unit_price": "3125.00"}]},
    )
    world.says("assess", severity="moderate", by="li", cause=SCRIPT, note=SCRIPT)
    customer: Customer = customer_of(world)

    texts = [(await customer.opens(done=SCRIPT)).text]
    texts.append((await customer.sends("accept", offer=SCRIPT, option=SCRIPT, digits=SCRIPT)).text)
    texts.append((await customer.sends("decline", offer="o1", reason=" ", comment=SCRIPT)).text)
    await customer.sends("decline", offer="o1", reason=SCRIPT)
    texts.append((await customer.opens()).text)

    assert "&lt;script&gt;alert(1)" in texts[0]
    for text in texts:
        assert "<script" not in text
        assert "<img" not in text


async def test_case_that_another_one_handles_says_so_and_names_no_other(
    customer_of: Any, engine_in_memory: CasesInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = stages.offered()
    customer: Customer = customer_of(world)
    snapshot = Snapshot.of(world.case)

    async def merged(_: str) -> Snapshot:
        links = [{"kind": "merged_into", "case": "HL-9"}]
        return Snapshot.model_validate({**snapshot.model_dump(mode="json"), "links": links})

    monkeypatch.setattr(engine_in_memory, "snapshot", merged)
    text = (await customer.opens()).text

    assert "We handle this together with another case" in text
    assert "HL-9" not in text
    assert "<form" not in text


async def test_complaint_that_is_being_admitted_has_a_page(
    customer_of: Any, engine_in_memory: CasesInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer: Customer = customer_of(stages.assessing())

    async def nothing_yet(case_id: str) -> Snapshot:
        return Snapshot.being_admitted(case_id)

    monkeypatch.setattr(engine_in_memory, "snapshot", nothing_yet)
    answer = await customer.opens()

    assert answer.status_code == 200
    assert "We are looking into it" in answer.text


async def test_case_that_temporal_has_deleted_is_shown_from_our_database(
    customer_of: Any, engine_in_memory: CasesInMemory, records: Any
) -> None:
    world = stages.closed()
    customer: Customer = customer_of(world)
    seen = Snapshot.of(world.case)
    at = world.now
    records.open_case("HL-1", "r", line="x", topic="y", order_id=None, received_at=at, opened_at=at)
    records.archive_case("HL-1", at, "satisfied", seen.model_dump(mode="json"))
    engine_in_memory.worlds.clear()

    assert "Your case is closed" in (await customer.opens()).text
    assert (await customer.sends("rate", score="1")).status_code in (404, 409)
