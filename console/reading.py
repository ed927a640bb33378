"""Cases for people to read: everything shown was written by strangers, so it is shown as plain text."""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from cases.calendar import clock as calendar_clock
from cases.errors import AfterSalesError
from cases.text import replaced
from cases.views.complaint_view import ComplaintView, ItemView, OrderView, SecondComplaintView
from cases.views.handling_view import OptionView, PromiseView, RemedyView, StepView
from cases.views.need_view import NeedView
from cases.views.snapshot import EntryView, Snapshot
from policies import known_policies

Json = dict[str, Any]
Clock = Callable[[datetime | None], str]
WIDTH = 160
"""Columns where there is no terminal to ask: wide enough for every table, and a pipe does not mind."""

STYLES = {"broken": "bold red", "blocked": "bold red", "unknown": "bold red", "kept": "green", "done": "green"}


def screen() -> Console:
    """Standard output, without markup: a customer's `[bold]` is no instruction to the terminal."""
    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, emoji=False, width=WIDTH)


def plain(value: Any) -> str:
    """`value` in one cell: no control characters, they could rewrite the screen; a dash for nothing."""
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, list):
        return ", ".join(plain(part) for part in value)
    return replaced(str(value), by="·", keep="\n")


def clock(at: datetime | str | None, zone: str | None = None) -> str:
    """An instant with its offset, to the second: promises of 10 s exist. `zone`: None: that of all lines."""
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    if at is None:
        return "–"
    zone = zone or zone_of()
    return calendar_clock(at, zone, seconds=True) if zone else at.astimezone().isoformat(" ", "seconds")


@cache
def zone_of(line: str | None = None) -> str | None:
    """The time zone of a line's policy, or the one that all lines share; None where there is none to be found."""
    try:
        zones = {name: policy.timezone for name, policy in known_policies().items()}
    except AfterSalesError:
        return None
    shared = set(zones.values())
    return zones.get(line or "") or (shared.pop() if len(shared) == 1 else None)


def case(seen: Snapshot) -> RenderableType:
    """One case: who complains of what, where it stands, what comes next, then every part that is not empty."""
    if not seen.line:  # it is being admitted, and knows nothing else yet
        return plain(seen.status)
    owner = "/".join(x for x in (seen.owner.team, seen.owner.name) if x)
    ended = f" as {seen.outcome}" if seen.outcome else ""
    urgent = " · URGENT" if seen.urgent else ""
    zone = seen.policy.timezone or zone_of(seen.line)  # an earlier build wrote no zone
    parts: list[RenderableType] = [
        Text(plain(f"{seen.case_id}  {seen.line} {seen.topic}{urgent}"), style="bold"),
        plain(f"{seen.status}{ended} · owner {owner} · order {seen.order_id} · policy {seen.policy.version}"),
    ]
    if seen.complaint:
        parts += ["", _complaint(seen.complaint, zone), ""]
    for second in seen.second_complaints:
        parts += [f"and {plain(second.case)}, which is handled here as well", _complaint(second, zone), ""]
    if seen.needs:
        parts += [*(_need(seen.case_id, need) for need in seen.needs), ""]
    known = {name: value for name, value in seen.finding if name != "facts" and value is not None}
    if known:
        parts.append("found: " + ", ".join(f"{name} {_item(value)}" for name, value in known.items()))
    parts += [drawn for drawn in _tables(seen, lambda at: clock(at, zone)) if drawn]
    if any(float(amount) for _, amount in seen.paid):
        parts.append("paid: " + ", ".join(f"{kind} {amount}" for kind, amount in seen.paid))
    return Group(*parts)


def _complaint(told: ComplaintView | SecondComplaintView, zone: str | None) -> RenderableType:
    """Who complains, how to reach them, and what they wrote: as it came."""
    customer = told.customer
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    lines = {
        "customer": " · ".join(x for x in (customer.name, customer.phone, customer.email) if x),
        "received": f"{clock(told.received_at, zone)} by {told.channel}",
        "order": _order(told.order) if isinstance(told, ComplaintView) and told.order else None,
        "affected": _item(told.affected) if told.affected else None,
        "wishes": told.wish,
        "wrote": told.description,
        "withdrawn": told.withdrawn if isinstance(told, SecondComplaintView) else None,
    }
    for name, text in lines.items():
        if text:
            drawn.add_row(name, Text(plain(text)))
    return drawn


def _order(order: OrderView) -> str:
    bought = ", ".join(f"{i.quantity} × {i.sku} {i.name} at {i.unit_price}" for i in order.items)
    cost = f"{order.order_id}, {order.amount} {order.currency}"
    return f"{cost}: {bought}" if bought else cost


def _need(case_id: str, need: NeedView | str) -> RenderableType:
    """One thing that a person has to do, and the commands that do it, each on a line to copy."""
    if isinstance(need, str):  # of an earlier build
        return Text(f"next: {plain(need)}", style="yellow")
    ways = [("do:", need.message, need.example), *(("or:", way.message, way.example) for way in need.instead)]
    # Not broken into lines: a shell takes only whole commands.
    commands = [
        Text(f"  {word}  {plain(command(case_id, message, example))}", no_wrap=True, overflow="ignore")
        for word, message, example in ways
    ]
    return Group(Text(f"next: {plain(need.text)}", style="yellow"), *commands)


def command(case_id: str, message: str, example: Json) -> str:
    """The command that sends a message with the values of its example."""
    words = ["starter.py", message, case_id]
    for field, value in example.items():
        flag = f"--{field.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        elif isinstance(value, list) and all(isinstance(v, dict) and v.keys() == {"kind", "uri"} for v in value):
            words += [part for v in value for part in (flag, f"{v['kind']}={v['uri']}")]
        else:
            words += [flag, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)]
    return shlex.join(words)


def stuck(rows: list[Json]) -> RenderableType:
    """What needs a person (`client.stuck`), one thing a line."""
    cells = ((row["case_id"], row["what"], clock(row["since"]), row["why"], row["do"]) for row in rows)
    return table("", "case, what, since, why, what to do", cells) or Text("nothing is stuck")


def moves(rows: list[Json]) -> RenderableType:
    """What moving open cases to an edited policy would change (`client.policy_move`), a case a line."""
    cells = ((row["case_id"], row["topic"], row["status"], "\n".join(_would_change(row))) for row in rows)
    return table("", "case, topic, status, if it were moved", cells) or Text("no open case would change")


def _would_change(row: Json) -> list[str]:
    if "unknown" in row:
        return [f"could not be asked: {row['unknown']}"]
    if "refused" in row:
        return [f"cannot be moved: {row['refused']}"]
    told = [promise_change(change) for change in row["promises"]]
    told += [
        f"{new['name']}: {new['within']} from {new['starts']}{', which is past: not owed' if new['passed'] else ''}"
        for new in row["begins"]
    ]
    told += [f"at once: {rung['role']} told of {rung['promise']} (rung {rung['rung']})" for rung in row["rungs"]]
    told += [f"at once: {what}" for what in row["at_once"]]
    if offer := row["offer"]:
        instead = " or ".join(map(_option, _options(offer["instead"]))) or "nothing"
        told.append(f"offer {offer['id']} stays as offered; assessed anew: {instead}")
    if row["differs"]:
        told.append(f"differs in {', '.join(row['differs'])}")
    return told


def _deadline(terms: Json) -> str:
    due = clock(terms["due_at"]) if terms["due_at"] else "when it goes on"
    return due + (" (provisional)" if terms.get("provisional") else "")


def promise_change(change: Json) -> str:
    """What a move changes of one promise."""
    was, now = change["before"], change["after"]
    if now["state"] == "void":
        return f"{change['name']}: not owed any more"
    state = f", {now['state']}" if now["state"] != was["state"] else ""
    pauses = (
        {True: ", pausable", False: ", not pausable"}[now["pausable"]] if now["pausable"] != was["pausable"] else ""
    )
    due = [_deadline(terms) for terms in (was, now)]
    return f"{change['name']}: {was['within']}, due {due[0]} → {now['within']}, due {due[1]}{state}{pauses}"


def entry(line: EntryView, zone: str | None = None) -> str:
    """One line of a timeline."""
    by = f"  ({plain(line.by)})" if line.by else ""
    return f"{clock(line.at, zone)}  {plain(line.what)}  {plain(line.text)}{by}"


def answer(case_id: str, name: str, told: Any) -> str:
    """What a case answered to a message."""
    if not isinstance(told, dict):
        return f"{case_id} {name}: done"
    if "case" in told:  # the case was over, and another one goes on with it
        return plain(f"{case_id} {name}: {told['why']}")
    if not told.get("applied", True):
        return plain(f"{case_id} {name}: nothing changed, {told.get('why')}")
    lines = [f"{case_id} {name}: done, the case is {told.get('status')}"]
    if told.get("missing"):
        lines.append(f"still to be established: {', '.join(told['missing'])}")
    if told.get("offer"):
        lines.append(f"offer {told['offer']['id']} ({told['offer']['state']})")
        lines += [f"  {option}" for option in _numbered(_options(told["offer"]["options"]))]
    lines += [f"  {promise_change(change)}" for change in told.get("promises", [])]
    known = {"applied", "status", "missing", "offer", "promises"}
    lines += [f"{key}: {_item(value)}" for key, value in told.items() if key not in known and value]
    return plain("\n".join(lines))


def table(title: str, columns: str, rows: Iterable[Iterable[Any]]) -> Table | None:
    """A table of `rows` under `columns`, comma separated; None where there are no rows."""
    drawn = Table(title=title or None, title_justify="left", box=None, header_style="dim", pad_edge=False)
    for number, column in enumerate(columns.split(", ")):
        # What names the row stays whole, or it cannot be copied into the next command.
        drawn.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        cells = [plain(cell) for cell in row]
        drawn.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in cells))
    return drawn if drawn.row_count else None


def _segments(promise: PromiseView, at: Clock) -> str:
    """When the clock ran, where it did not simply run on."""
    stopped = [s for s in promise.segments if s.why_stopped not in (None, "kept")]
    return "\n".join(f"stopped {at(s.ran_until)}: {s.why_stopped}" for s in stopped)


def _options(told: list[Json]) -> list[OptionView]:
    """The options in an answer of a case."""
    return [OptionView.model_validate(option) for option in told]


def _option(option: OptionView) -> str:
    return f"{option.key}: " + ", ".join(f"{r.kind} {_worth(r)}".removesuffix(" –") for r in option.remedies)


def _worth(part: RemedyView | StepView) -> str:
    if part.amount is None:
        return _item(part.items)
    most = part.max_amount if isinstance(part, RemedyView) else None
    return f"{part.amount} (up to {most})" if most else str(part.amount)


def _item(value: Any) -> str:
    """A value; of goods how many, and which."""
    if isinstance(value, list):
        return ", ".join(_goods(part) or plain(part) for part in value) or "–"
    return plain(value)


def _goods(value: Any) -> str | None:
    if isinstance(value, ItemView):
        return f"{value.quantity} × {value.sku}"
    return f"{value['quantity']} × {value['sku']}" if isinstance(value, dict) and "sku" in value else None


def _tables(seen: Snapshot, at: Clock) -> Iterator[Table | None]:
    """The lists of a case, each as a table; None for one that is empty."""
    yield table(
        "promises",
        "promise, within, state, due, kept, clock",
        ((p.name, p.within, p.state, _due(p, at), at(p.kept_at), _segments(p, at)) for p in seen.promises),
    )
    yield table(
        "offers",
        "offer, state, options, over the limits",
        ((o.id, o.state, "\n".join(_numbered(o.options)), o.over_limits) for o in seen.offers),
    )
    yield table(
        "steps",
        "step, partner, state, what, reference, tries, reason",
        ((s.id, s.partner, s.state, _worth(s), s.reference, s.attempts, s.reason) for s in seen.steps),
    )
    yield table(
        "escalations",
        "promise, told, due, sent, acknowledged by",
        ((e.promise, e.role, at(e.due_at), at(e.sent_at), e.acknowledged_by) for e in seen.escalations),
    )
    yield table("satisfaction", "at, score, comment", ((at(s.at), s.score, s.comment) for s in seen.satisfaction))
    yield table("evidence", "kind, where", ((e.kind, e.uri) for e in seen.evidence))
    yield table("links", "link, case", ((x.kind, x.case or x.workflow) for x in seen.links))
    yield table(
        "refused",
        "at, message, by, times, why",
        ((at(r.last_at or r.at), r.message, r.by, r.count, r.why) for r in seen.refused),
    )
    yield table("timeline", "at, what, text, by", ((at(t.at), t.what, t.text, t.by) for t in seen.timeline))


def _numbered(options: list[OptionView]) -> list[str]:
    """The options of an offer with the numbers that the customer was given."""
    if len(options) == 1:
        return [_option(options[0])]
    return [f"{number}  {_option(option)}" for number, option in enumerate(options, start=1)]


def _due(promise: PromiseView, at: Clock) -> str:
    return at(promise.due_at) + (" (provisional)" if promise.provisional else "")
