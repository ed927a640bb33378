"""Cases for people to read: everything shown was written by strangers, so it is shown as plain text."""

import json
import shlex
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from cases.calendar import clock as calendar_clock
from cases.errors import AfterSalesError
from cases.text import replaced
from policies import known_policies

Json = dict[str, Any]
Clock = Callable[[str | None], str]
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


def clock(at: str | None, zone: str | None = None) -> str:
    """An instant with its offset, to the second: promises of 10 s exist. `zone`: None: that of all lines."""
    zone = zone or zone_of()
    if at and zone:
        return calendar_clock(datetime.fromisoformat(at), zone, seconds=True)
    return datetime.fromisoformat(at).astimezone().isoformat(" ", "seconds") if at else "–"


@cache
def zone_of(line: str | None = None) -> str | None:
    """The time zone of a line's policy, or the one that all lines share; None where there is none to be found."""
    try:
        zones = {name: policy.timezone for name, policy in known_policies().items()}
    except AfterSalesError:
        return None
    shared = set(zones.values())
    return zones.get(line or "") or (shared.pop() if len(shared) == 1 else None)


def case(seen: Json) -> RenderableType:
    """One case: who complains of what, where it stands, what comes next, then every part that is not empty."""
    if not seen.get("line"):  # it is being admitted, and knows nothing else yet
        return plain(seen.get("status"))
    owner = "/".join(x for x in (seen["owner"]["team"], seen["owner"]["name"]) if x)
    ended = f" as {seen['outcome']}" if seen["outcome"] else ""
    urgent = " · URGENT" if seen["urgent"] else ""
    # A case of an earlier build tells neither its complaint nor its zone.
    zone = seen["policy"].get("timezone") or zone_of(seen["line"])
    parts: list[RenderableType] = [
        Text(plain(f"{seen['case_id']}  {seen['line']} {seen['topic']}{urgent}"), style="bold"),
        plain(
            f"{seen['status']}{ended} · owner {owner} · order {seen['order_id']} · policy {seen['policy']['version']}"
        ),
    ]
    if complaint := seen.get("complaint"):
        parts += ["", _complaint(complaint, zone), ""]
    for second in seen.get("second_complaints", []):
        parts += [f"and {plain(second['case'])}, which is handled here as well", _complaint(second, zone), ""]
    if needed := seen.get("needs"):
        parts += [*(_need(seen["case_id"], need) for need in needed), ""]
    known = {k: v for k, v in seen["finding"].items() if k != "facts"}
    if known:
        parts.append("found: " + ", ".join(f"{k} {_item(v)}" for k, v in known.items()))
    for part, (columns, row) in _parts(lambda at: clock(at, zone)).items():
        if drawn := table(part, columns, map(row, seen.get(part, []))):
            parts.append(drawn)
    if any(float(amount) for amount in seen["paid"].values()):
        parts.append("paid: " + ", ".join(f"{kind} {amount}" for kind, amount in seen["paid"].items()))
    return Group(*parts)


def _complaint(told: Json, zone: str | None) -> RenderableType:
    """Who complains, how to reach them, and what they wrote: as it came."""
    customer, order = told["customer"], told.get("order") or {}
    bought = ", ".join(
        f"{i['quantity']} × {i['sku']} {i.get('name', '–')} at {i['unit_price']}" for i in order.get("items", [])
    )
    cost = f"{order['order_id']}, {order['amount']} {order['currency']}" if order else None
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    lines = {
        "customer": " · ".join(x for x in (customer["name"], customer.get("phone"), customer.get("email")) if x),
        "received": f"{clock(told['received_at'], zone)} by {told['channel']}",
        "order": f"{cost}: {bought}" if cost and bought else cost,
        "affected": _item(told["affected"]) if told.get("affected") else None,
        "wishes": told.get("wish"),
        "wrote": told.get("description"),
        "withdrawn": told.get("withdrawn"),
    }
    for name, text in lines.items():
        if text:
            drawn.add_row(name, Text(plain(text)))
    return drawn


def _need(case_id: str, need: Any) -> RenderableType:
    """One thing that a person has to do, and the commands that do it, each on a line to copy."""
    if isinstance(need, str):  # of an earlier build
        return Text(f"next: {plain(need)}", style="yellow")
    ways = zip(("do:", *["or:"] * len(need["instead"])), (need, *need["instead"]), strict=True)
    # Not broken into lines: whoever copies one into a shell needs it whole.
    commands = [
        Text(f"  {word}  {plain(command(case_id, way))}", no_wrap=True, overflow="ignore") for word, way in ways
    ]
    return Group(Text(f"next: {plain(need['text'])}", style="yellow"), *commands)


def command(case_id: str, way: Json) -> str:
    """The command that sends a message with the values of its example."""
    words = ["starter.py", way["message"], case_id]
    for field, value in way["example"].items():
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
        instead = " or ".join(_option(option) for option in offer["instead"]) or "nothing"
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


def entry(line: Json, zone: str | None = None) -> str:
    """One line of a timeline."""
    by = f"  ({plain(line['by'])})" if line.get("by") else ""
    return f"{clock(line['at'], zone)}  {plain(line['what'])}  {plain(line.get('text', ''))}{by}"


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
        lines += [f"  {option}" for option in _numbered(told["offer"]["options"])]
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


def _segments(promise: Json, at: Clock) -> str:
    """When the clock ran, where it did not simply run on."""
    parts = promise["segments"]
    stopped = [
        f"stopped {at(s['ran_until'])}: {s['why_stopped']}" for s in parts if s["why_stopped"] not in (None, "kept")
    ]
    return "\n".join(stopped)


def _option(option: Json) -> str:
    return f"{option['key']}: " + ", ".join(f"{r['kind']} {_worth(r)}".removesuffix(" –") for r in option["remedies"])


def _worth(part: Json) -> str:
    if not part.get("amount"):
        return _item(part.get("items"))
    return f"{part['amount']} (up to {part['max_amount']})" if part.get("max_amount") else str(part["amount"])


def _item(value: Any) -> str:
    if isinstance(value, list):
        return (
            ", ".join(
                f"{v['quantity']} × {v['sku']}" if isinstance(v, dict) and "sku" in v else plain(v) for v in value
            )
            or "–"
        )
    return plain(value)


def _parts(at: Clock) -> dict[str, tuple[str, Callable[[Json], Iterable[Any]]]]:
    """The tables of a case: columns, and what of each entry stands in them."""
    return {
        "promises": (
            "promise, within, state, due, kept, clock",
            lambda p: (p["name"], p["within"], p["state"], _due(p, at), at(p["kept_at"]), _segments(p, at)),
        ),
        "offers": (
            "offer, state, options, over the limits",
            lambda o: (o["id"], o["state"], "\n".join(_numbered(o["options"])), o["over_limits"]),
        ),
        "steps": (
            "step, partner, state, what, reference, tries, reason",
            lambda s: (s["id"], s["partner"], s["state"], _worth(s), s["reference"], s["attempts"], s["reason"]),
        ),
        "escalations": (
            "promise, told, due, sent, acknowledged by",
            lambda e: (e["promise"], e["role"], at(e["due_at"]), at(e["sent_at"]), e["acknowledged_by"]),
        ),
        "satisfaction": ("at, score, comment", lambda s: (at(s["at"]), s["score"], s["comment"])),
        "evidence": ("kind, where", lambda e: (e["kind"], e["uri"])),
        "links": ("link, case", lambda x: (x["kind"], x.get("case") or x.get("workflow"))),
        "refused": (
            "at, message, by, times, why",
            lambda r: (at(r.get("last_at") or r["at"]), r["message"], r["by"], r.get("count", 1), r["why"]),
        ),
        "timeline": ("at, what, text, by", lambda t: (at(t["at"]), t["what"], t.get("text"), t.get("by"))),
    }


def _numbered(options: list[Json]) -> list[str]:
    """The options of an offer with the numbers that the customer was given."""
    if len(options) == 1:
        return [_option(options[0])]
    return [f"{number}  {_option(option)}" for number, option in enumerate(options, start=1)]


def _due(promise: Json, at: Clock) -> str:
    return at(promise["due_at"]) + (" (provisional)" if promise["provisional"] else "")
