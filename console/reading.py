"""Cases for people to read: everything shown was written by strangers, so it is shown as plain text."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]
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
    return "".join(c if c.isprintable() or c == "\n" else "·" for c in str(value))


def clock(at: str | None) -> str:
    """An instant in the reader's own time zone, to the second: promises of 10 s exist."""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}" if at else "–"


def case(seen: Json) -> RenderableType:
    """One case: where it stands, what comes next, then every part that is not empty."""
    if not seen.get("line"):  # it is being admitted, and knows nothing else yet
        return plain(seen.get("status"))
    owner = "/".join(x for x in (seen["owner"]["team"], seen["owner"]["name"]) if x)
    ended = f" as {seen['outcome']}" if seen["outcome"] else ""
    urgent = " · URGENT" if seen["urgent"] else ""
    parts: list[RenderableType] = [
        Text(plain(f"{seen['case_id']}  {seen['line']} {seen['topic']}{urgent}"), style="bold"),
        plain(
            f"{seen['status']}{ended} · owner {owner} · order {seen['order_id']} · policy {seen['policy']['version']}"
        ),
    ]
    if needed := seen.get("needs"):
        parts.append(Text("\n".join(f"next: {plain(need)}" for need in needed), style="yellow"))
    known = {k: v for k, v in seen["finding"].items() if k != "facts"}
    if known:
        parts.append("found: " + ", ".join(f"{k} {_item(v)}" for k, v in known.items()))
    for part, (columns, row) in _PARTS.items():
        if drawn := table(part, columns, map(row, seen[part])):
            parts.append(drawn)
    if any(float(amount) for amount in seen["paid"].values()):
        parts.append("paid: " + ", ".join(f"{kind} {amount}" for kind, amount in seen["paid"].items()))
    return Group(*parts)


def listing(rows: list[Json]) -> RenderableType:
    """Many cases, one a line."""
    columns = "case, line, topic, status, team, next due, broken, rung, opened"
    found = table(
        "",
        columns,
        (
            (
                f"{row['case_id']}{' !' if row['urgent'] else ''}",
                row["line"],
                row["topic"],
                row["outcome"] or row["status"],
                row["team"],
                clock(row["next_due_at"]),
                row["broken_promises"],
                row["escalation_rung"],
                clock(row["opened_at"]),
            )
            for row in rows
        ),
    )
    return found or Text("no cases")


def stuck(rows: list[Json]) -> RenderableType:
    """What needs a person (`console.stuck`), one thing a line."""
    cells = ((row["case_id"], row["what"], clock(row["since"]), row["why"], row["do"]) for row in rows)
    return table("", "case, what, since, why, what to do", cells) or Text("nothing is stuck")


def moves(rows: list[Json]) -> RenderableType:
    """What moving open cases to an edited policy would change (`console.moving`), a case a line."""
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


def promise_change(change: Json) -> str:
    """What a move changes of one promise."""
    was, now = change["before"], change["after"]
    if now["state"] == "void":
        return f"{change['name']}: not owed any more"
    state = f", {now['state']}" if now["state"] != was["state"] else ""
    pauses = (
        {True: ", pausable", False: ", not pausable"}[now["pausable"]] if now["pausable"] != was["pausable"] else ""
    )
    due = [clock(terms["due_at"]) if terms["due_at"] else "when it goes on" for terms in (was, now)]
    return f"{change['name']}: {was['within']}, due {due[0]} → {now['within']}, due {due[1]}{state}{pauses}"


def entry(line: Json) -> str:
    """One line of a timeline."""
    by = f"  ({plain(line['by'])})" if line.get("by") else ""
    return f"{clock(line['at'])}  {plain(line['what'])}  {plain(line.get('text', ''))}{by}"


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
        lines += [f"  {_option(option)}" for option in told["offer"]["options"]]
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


def _due(promise: Json) -> str:
    return clock(promise["due_at"]) + (" (provisional)" if promise["provisional"] else "")


def _segments(promise: Json) -> str:
    """When the clock ran, where it did not simply run on."""
    parts = promise["segments"]
    stopped = [
        f"stopped {clock(s['ran_until'])}: {s['why_stopped']}" for s in parts if s["why_stopped"] not in (None, "kept")
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


_PARTS: dict[str, tuple[str, Callable[[Json], Iterable[Any]]]] = {
    "promises": (
        "promise, within, state, due, kept, clock",
        lambda p: (p["name"], p["within"], p["state"], _due(p), clock(p["kept_at"]), _segments(p)),
    ),
    "offers": (
        "offer, state, options, over the limits",
        lambda o: (o["id"], o["state"], "\n".join(_option(x) for x in o["options"]), o["over_limits"]),
    ),
    "steps": (
        "step, partner, state, what, reference, tries, reason",
        lambda s: (s["id"], s["partner"], s["state"], _worth(s), s["reference"], s["attempts"], s["reason"]),
    ),
    "escalations": (
        "promise, told, due, sent, acknowledged by",
        lambda e: (e["promise"], e["role"], clock(e["due_at"]), clock(e["sent_at"]), e["acknowledged_by"]),
    ),
    "satisfaction": ("at, score, comment", lambda s: (clock(s["at"]), s["score"], s["comment"])),
    "evidence": ("kind, where", lambda e: (e["kind"], e["uri"])),
    "refused": ("at, message, by, why", lambda r: (clock(r["at"]), r["message"], r["by"], r["why"])),
    "timeline": ("at, what, text, by", lambda t: (clock(t["at"]), t["what"], t.get("text"), t.get("by"))),
}
"""The tables of a case: columns, and what of each entry stands in them."""
