"""Cases in readable form. Most of their content comes from outside, so it is printed as plain text."""

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
"""Columns if standard output is not a terminal: wide enough for every table."""

STYLES = {"broken": "bold red", "blocked": "bold red", "unknown": "bold red", "kept": "green", "done": "green"}


def screen() -> Console:
    """Return standard output with markup switched off: a customer's `[bold]` must not format anything."""
    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, emoji=False, width=WIDTH)


def plain(value: Any) -> str:
    """Return `value` as text without control characters, which could rewrite the screen; a dash if it is empty."""
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, list):
        return ", ".join(plain(part) for part in value)
    return replaced(str(value), by="·", keep="\n")


def clock(at: datetime | str | None, zone: str | None = None) -> str:
    """Return a time with its offset, to the second. The default `zone` is the one that all lines share."""
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    if at is None:
        return "–"
    zone = zone or zone_of()
    return calendar_clock(at, zone, seconds=True) if zone else at.astimezone().isoformat(" ", "seconds")


@cache
def zone_of(line: str | None = None) -> str | None:
    """Return the time zone of a line's policy, or the one that all lines share; None if neither is known."""
    try:
        zones = {name: policy.timezone for name, policy in known_policies().items()}
    except AfterSalesError:
        return None
    shared = set(zones.values())
    return zones.get(line or "") or (shared.pop() if len(shared) == 1 else None)


def case(seen: Snapshot) -> RenderableType:
    """Return one case: its status, the complaint, what to do next, then every part that is not empty."""
    if not seen.line:  # it is being admitted: nothing else is known yet
        return plain(seen.status)
    owner = "/".join(x for x in (seen.owner.team, seen.owner.name) if x)
    ended = f" as {seen.outcome}" if seen.outcome else ""
    urgent = " · URGENT" if seen.urgent else ""
    zone = seen.policy.timezone or zone_of(seen.line)  # snapshots of earlier builds have no time zone
    parts: list[RenderableType] = [
        Text(plain(f"{seen.case_id}  {seen.line} {seen.topic}{urgent}"), style="bold"),
        plain(f"{seen.status}{ended} · owner {owner} · order {seen.order_id} · policy {seen.policy.version}"),
    ]
    if seen.complaint:
        parts += ["", _complaint(seen.complaint, zone), ""]
    for second in seen.second_complaints:
        parts += [f"also handles {plain(second.case)}:", _complaint(second, zone), ""]
    if seen.needs:
        parts += [*(_need(seen.case_id, need) for need in seen.needs), ""]
    known = {name: value for name, value in seen.finding if name != "facts" and value is not None}
    if known:
        parts.append("found: " + ", ".join(f"{name} {_item(value)}" for name, value in known.items()))
    parts += [drawn for drawn in _tables(seen, lambda at: clock(at, zone)) if drawn]
    if any(float(amount) for _, amount in seen.paid):
        parts.append("paid: " + ", ".join(f"{kind} {amount}" for kind, amount in seen.paid))
    return Group(*parts)


def _complaint(complaint: ComplaintView | SecondComplaintView, zone: str | None) -> RenderableType:
    """Return who complains, how to reach them, and what they wrote."""
    customer = complaint.customer
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    lines = {
        "customer": " · ".join(x for x in (customer.name, customer.phone, customer.email) if x),
        "received": f"{clock(complaint.received_at, zone)} by {complaint.channel}",
        "order": _order(complaint.order) if isinstance(complaint, ComplaintView) and complaint.order else None,
        "affected": _item(complaint.affected) if complaint.affected else None,
        "wants": complaint.wish,
        "wrote": complaint.description,
        "withdrawn": complaint.withdrawn if isinstance(complaint, SecondComplaintView) else None,
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
    """Return one thing that a person has to do, and the commands for it, each on a line to copy."""
    if isinstance(need, str):  # from an earlier build
        return Text(f"next: {plain(need)}", style="yellow")
    ways = [("do:", need.message, need.example), *(("or:", way.message, way.example) for way in need.instead)]
    # Not wrapped: a command has to be copied whole.
    commands = [
        Text(f"  {word}  {plain(command(case_id, message, example))}", no_wrap=True, overflow="ignore")
        for word, message, example in ways
    ]
    return Group(Text(f"next: {plain(need.text)}", style="yellow"), *commands)


def command(case_id: str, message: str, example: Json) -> str:
    """Return the command line that sends a message with these values."""
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
    """Return what is stuck (`client.stuck`), one row each."""
    cells = ((row["case_id"], row["what"], clock(row["since"]), row["why"], row["do"]) for row in rows)
    return table("", "case, what, since, why, what to do", cells) or Text("nothing is stuck")


def moves(rows: list[Json]) -> RenderableType:
    """Return what moving open cases to an edited policy would change (`client.policy_move`), one row per case."""
    cells = ((row["case_id"], row["topic"], row["status"], "\n".join(_would_change(row))) for row in rows)
    return table("", "case, topic, status, changes if moved", cells) or Text("no open case would change")


def _would_change(row: Json) -> list[str]:
    if "unknown" in row:
        return [f"did not answer: {row['unknown']}"]
    if "refused" in row:
        return [f"cannot be moved: {row['refused']}"]
    changes = [promise_change(change) for change in row["promises"]]
    changes += [
        f"{new['name']}: {new['within']} from {new['starts']}{', which has passed: not owed' if new['passed'] else ''}"
        for new in row["begins"]
    ]
    changes += [f"at once: {rung['role']} notified of {rung['promise']} (rung {rung['rung']})" for rung in row["rungs"]]
    changes += [f"at once: {what}" for what in row["at_once"]]
    if offer := row["offer"]:
        instead = " or ".join(map(_option, _options(offer["instead"]))) or "nothing"
        changes.append(f"offer {offer['id']} stays as it is; a new assessment would offer: {instead}")
    if row["differs"]:
        changes.append(f"differs in {', '.join(row['differs'])}")
    return changes


def _deadline(terms: Json) -> str:
    due = clock(terms["due_at"]) if terms["due_at"] else "when the clock resumes"
    return due + (" (provisional)" if terms.get("provisional") else "")


def promise_change(change: Json) -> str:
    """Return how a move changes one promise."""
    was, now = change["before"], change["after"]
    if now["state"] == "void":
        return f"{change['name']}: no longer owed"
    state = f", {now['state']}" if now["state"] != was["state"] else ""
    pauses = (
        {True: ", pausable", False: ", not pausable"}[now["pausable"]] if now["pausable"] != was["pausable"] else ""
    )
    due = [_deadline(terms) for terms in (was, now)]
    return f"{change['name']}: {was['within']}, due {due[0]} → {now['within']}, due {due[1]}{state}{pauses}"


def entry(line: EntryView, zone: str | None = None) -> str:
    """Return one line of a timeline."""
    by = f"  ({plain(line.by)})" if line.by else ""
    return f"{clock(line.at, zone)}  {plain(line.what)}  {plain(line.text)}{by}"


def answer(case_id: str, name: str, body: Any) -> str:
    """Return the answer of a case to a message in readable form."""
    if not isinstance(body, dict):
        return f"{case_id} {name}: done"
    if "case" in body:  # the case is closed; `why` says what became of the message
        return plain(f"{case_id} {name}: {body['why']}")
    if not body.get("applied", True):
        return plain(f"{case_id} {name}: nothing changed, {body.get('why')}")
    lines = [f"{case_id} {name}: done, the case is {body.get('status')}"]
    if body.get("missing"):
        lines.append(f"still missing: {', '.join(body['missing'])}")
    if body.get("offer"):
        lines.append(f"offer {body['offer']['id']} ({body['offer']['state']})")
        lines += [f"  {option}" for option in _numbered(_options(body["offer"]["options"]))]
    lines += [f"  {promise_change(change)}" for change in body.get("promises", [])]
    known = {"applied", "status", "missing", "offer", "promises"}
    lines += [f"{key}: {_item(value)}" for key, value in body.items() if key not in known and value]
    return plain("\n".join(lines))


def table(title: str, columns: str, rows: Iterable[Iterable[Any]]) -> Table | None:
    """Return a table with these comma-separated column names; None if there are no rows."""
    drawn = Table(title=title or None, title_justify="left", box=None, header_style="dim", pad_edge=False)
    for number, column in enumerate(columns.split(", ")):
        # The first column is not wrapped: people copy it into the next command.
        drawn.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        cells = [plain(cell) for cell in row]
        drawn.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in cells))
    return drawn if drawn.row_count else None


def _pauses(promise: PromiseView, at: Clock) -> str:
    """Return when and why the clock was paused."""
    stopped = [s for s in promise.segments if s.why_stopped not in (None, "kept")]
    return "\n".join(f"stopped {at(s.ran_until)}: {s.why_stopped}" for s in stopped)


def _options(options: list[Json]) -> list[OptionView]:
    """Return the options of an answer as models."""
    return [OptionView.model_validate(option) for option in options]


def _option(option: OptionView) -> str:
    return f"{option.key}: " + ", ".join(f"{r.kind} {_worth(r)}".removesuffix(" –") for r in option.remedies)


def _worth(part: RemedyView | StepView) -> str:
    if part.amount is None:
        return _item(part.items)
    most = part.max_amount if isinstance(part, RemedyView) else None
    return f"{part.amount} (up to {most})" if most else str(part.amount)


def _item(value: Any) -> str:
    """Return a value as text; for items, quantity and sku."""
    if isinstance(value, list):
        return ", ".join(_goods(part) or plain(part) for part in value) or "–"
    return plain(value)


def _goods(value: Any) -> str | None:
    if isinstance(value, ItemView):
        return f"{value.quantity} × {value.sku}"
    return f"{value['quantity']} × {value['sku']}" if isinstance(value, dict) and "sku" in value else None


def _tables(seen: Snapshot, at: Clock) -> Iterator[Table | None]:
    """Yield each list of a case as a table, or None if it is empty."""
    yield table(
        "promises",
        "promise, within, state, due, kept, pauses",
        ((p.name, p.within, p.state, _due(p, at), at(p.kept_at), _pauses(p, at)) for p in seen.promises),
    )
    yield table(
        "offers",
        "offer, state, options, needs approval because",
        ((o.id, o.state, "\n".join(_numbered(o.options)), o.over_limits) for o in seen.offers),
    )
    yield table(
        "steps",
        "step, partner, state, amount or items, reference, attempts, reason",
        ((s.id, s.partner, s.state, _worth(s), s.reference, s.attempts, s.reason) for s in seen.steps),
    )
    yield table(
        "escalations",
        "promise, notified, due, sent, acknowledged by",
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
    """Return the options of an offer with the numbers that the customer sees."""
    if len(options) == 1:
        return [_option(options[0])]
    return [f"{number}  {_option(option)}" for number, option in enumerate(options, start=1)]


def _due(promise: PromiseView, at: Clock) -> str:
    return at(promise.due_at) + (" (provisional)" if promise.provisional else "")
