"""A kind of remedy is one row; a row that lacks a fact stops the program, and the contract says what the rows say."""

import re
from dataclasses import replace

import pytest

from cases.policy import remedy_kinds as kinds
from cases.policy.remedy_kinds import NEEDED, ROWS, Moves, Says, faults
from cases.vocabulary import Partner, RemedyKind
from settings import ROOT


def test_a_kind_without_a_row_does_not_start() -> None:
    rows = dict(ROWS)
    del rows[RemedyKind.GIFT]

    assert list(faults(rows)) == ["gift: has no row"]


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        (RemedyKind.REFUND, "paid_as"),
        (RemedyKind.FREIGHT_REFUND, "gives_back"),
        (RemedyKind.COUPON, "paid_as"),
        (RemedyKind.RESHIP, "sends"),
    ],
)
def test_a_kind_that_lacks_a_fact_does_not_start(kind: RemedyKind, fact: str) -> None:
    rows = {**ROWS, kind: replace(ROWS[kind], **{fact: None})}  # type: ignore[arg-type]

    assert list(faults(rows)) == [f"{kind}: moves {ROWS[kind].moves}, so it needs {fact}"]


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        (RemedyKind.GIFT, {"sends": kinds.Sends.FROM_STOCK}, "gift: moves nothing, so it has no sends"),
        (RemedyKind.COUPON, {"partner": Partner.WAREHOUSE}, "coupon: moves payout, so its partner is refunds"),
        (RemedyKind.APOLOGY, {"partner": Partner.LOGISTICS}, "apology: moves words, so its partner is messaging"),
        (RemedyKind.SEARCH, {"says": Says.ITEMS}, "search: says something, so its partner is messaging"),
    ],
)
def test_facts_that_do_not_go_together_do_not_start(kind: RemedyKind, change: dict[str, object], why: str) -> None:
    assert list(faults({**ROWS, kind: replace(ROWS[kind], **change)})) == [why]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "source", "instead", "why"),
    [
        (
            "cases/policy/remedy_kinds.py",
            "moves=_M.PAYOUT, paid_as=PaidAs.COUPON",
            "moves=_M.PAYOUT",
            "coupon: moves payout, so it needs paid_as",
        ),
        (
            "cases/look_ups.py",
            'TRAIL = "trail"',
            'TRAIL = "trail"\n    STOCK = "stock"',
            "must have the same names",
        ),
        (
            "cases/progress/verification.py",
            "    LookUpName.INSTALLATION: _by_installation,\n",
            "",
            "ESTABLISHED_BY must have exactly the look-ups",
        ),
    ],
)
def test_a_module_with_an_incomplete_row_cannot_be_imported(module: str, source: str, instead: str, why: str) -> None:
    code = (ROOT / module).read_text(encoding="utf-8")
    assert code.count(source) == 1

    with pytest.raises(ValueError, match=why):
        exec(compile(code.replace(source, instead), module, "exec"), {"__name__": "broken", "__file__": module})  # noqa: S102


def test_the_rows_have_no_faults_and_name_facts_that_there_are() -> None:
    assert list(faults(ROWS)) == []
    assert set.union(*NEEDED.values()) <= set(kinds.Row.__dataclass_fields__)


def test_every_kind_of_money_is_counted_under_one_heading() -> None:
    assert sorted(kind for some in kinds.PAID_AS.values() for kind in some) == sorted(kinds.MONEY)
    assert kinds.TO_SOURCE | kinds.PAYOUTS == kinds.MONEY


def test_what_moves_nothing_is_in_no_set_of_what_moves() -> None:
    idle = {kind for kind, row in ROWS.items() if row.moves is Moves.NOTHING}
    assert idle.isdisjoint(kinds.MONEY | kinds.GOODS | kinds.VISITS | kinds.WORDS)


def test_the_contract_names_the_partner_of_every_kind() -> None:
    contract = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    table = contract.partition("| partner | kinds |")[2].partition("\n\n")[0]
    listed = dict(re.findall(r"^\| (\w+) \| (.*) \|$", table, flags=re.MULTILINE))

    assert {partner: re.findall(r"`(\w+)`", kinds) for partner, kinds in listed.items()} == {
        partner: [kind for kind, row in ROWS.items() if row.partner is partner] for partner in Partner
    }
