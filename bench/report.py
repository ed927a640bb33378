"""The result of a run: tables for people, JSON for programs, and a description of the machine."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.arms import BARE
from bench.compare import total_cpu
from bench.counting.measuring import TOTAL, total
from bench.targets import Target
from cases.errors import AfterSalesError
from settings import ROOT

Row = dict[str, Any]
RESULTS = Path(__file__).with_name("results")
MEGA = 1 << 20
NONE = "–"


class BadResult(AfterSalesError):
    """The file is not a result of the benchmarks."""


def machine() -> Row:
    """Return a description of the machine and the versions."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    temporal = str(Path(sys.executable).with_name("temporal"))
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory) / MEGA, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "temporalio": version("temporalio"),
        "temporal": _said(temporal, "--version"),
        "commit": _said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") or None,
        "load_before": round(os.getloadavg()[0], 2),
    }


def pin(cores: int) -> None:
    """Run this process, and all that it starts, on this number of cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def written(folder: Path, kind: str, found: Row, targets: Sequence[Target]) -> Path:
    """Write the result to a file in `folder`, named by kind and time. Return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    file = folder / f"{kind}-{now:%Y%m%d-%H%M%S}.json"
    content = {
        "kind": kind,
        "at": now.isoformat(timespec="seconds"),
        **found,
        "targets": [{**each._asdict(), "verdict": each.verdict} for each in targets],
    }
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def show(console: Console, file: Path) -> None:
    """Print a result as tables. Raises `BadResult`."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        show_machine(console, found["machine"])
        if found["kind"] == "compare":
            show_comparison(console, found["rows"])
        elif found["kind"] == "door":
            show_door(console, found)
        elif found["kind"] == "fortnight":
            show_fortnight(console, found["days"])
        elif found["kind"] == "scale":
            show_scale(console, found)
        show_targets(console, found["targets"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadResult(f"{file} is not a result of the bench ({error!r}): choose a file in {RESULTS}") from None
    console.print(f"{found['at']}, {', '.join(found['settings'].get('arms', ()))}: {file}")


def show_machine(console: Console, where: Row) -> None:
    """Print the machine in one line."""
    console.print(
        f"{where['cores']} cores of {where['cpu']}, {where['memory_gb']} GB, {where['system']}; "
        f"Python {where['python']}, temporalio {where['temporalio']}, {where['temporal']}; "
        f"load before: {where['load_before']}"
    )


def show_comparison(console: Console, rows: Sequence[Row]) -> None:
    """Print what a case costs, what it leaves behind, and how long it takes."""
    columns = ("arm", "case", "cases/s", "CPU ms", "÷ bare", "±", "server", "worker", "database", "sandbox")
    cost = Table(*columns, title="At saturation")
    bare = next((total_cpu(row) for row in rows if row["case"] == BARE), None)
    left = Table(
        "arm", "case", "events", "transitions", "history", "billable", "storage", "of which", title="What it leaves"
    )
    times = Table("arm", "case", "first, 1/s", "first, full", "last, 1/s", "last, full", title="ms, p50 / p95")
    for row in rows:
        name, cpu = (row["arm"], row["case"]), row["cpu_ms"]
        parts = [_cell(cpu.get(role)) for role in ("server", "worker")]
        database = _cell(cpu.get("database")) if "database" in cpu else NONE if row["case"] == BARE else "in the worker"
        wobble = max(cpu[role]["spread"] for role in TOTAL if role in cpu)
        cost.add_row(
            *name, f"{row['per_second']['median']:.1f}", f"{total_cpu(row):.0f}",
            f"{total_cpu(row) / bare:.2f}" if bare else NONE, f"{wobble:.0%}", *parts, database,
            _cell(cpu.get("sandbox")),
        )  # fmt: skip
        actions = ", ".join(f"{count:.0f} {kind}" for kind, count in row["actions"].items())
        # Only Temporal has a history, state transitions and billable actions.
        sizes = [
            f"{row[size]['median'] / 1024:.1f} kB" if row[size]["median"] else NONE
            for size in ("history_bytes", "storage_bytes")
        ]
        counts = [
            f"{row[count]['median']:.0f}" if row[count]["median"] else NONE
            for count in ("events", "state_transitions", "billable")
        ]
        left.add_row(*name, *counts[:2], sizes[0], counts[2], sizes[1], actions)
        cells = [_times(row[rate].get(what)) for what in ("first", "last") for rate in ("paced_ms", "saturated_ms")]
        times.add_row(*name, *cells)
    for table in (cost, left, times):
        console.print(table)
    for row in rows:
        if held := row.get("memory_per_1000_open"):
            sizes_by_role = ", ".join(
                f"{role} {size / MEGA:.0f} MB" for role, size in held.items() if role != "sandbox"
            )
            console.print(f"1,000 more open cases need, {row['arm']}: {sizes_by_role}")


def show_scale(console: Console, found: Row) -> None:
    """Print what many cases cost and how long they wait. Parts that `found` lacks are skipped."""
    table = Table(
        "open", "opened/s", "CPU ms", "to open", "to finish", "worker MB", "server MB", "kB each",
        "consent ms, p50 / p99", "listed, s", title="With many open cases",
    )  # fmt: skip
    for row in found.get("open", {}).get("rows", []):
        consent, listing = row["consent_ms"], row["listing"]
        table.add_row(
            f"{row['open']}", f"{row['opened_per_second']:.1f}", f"{total(row['cpu_ms']):.0f}",
            f"{row['to_open_ms']:.0f}", f"{row['to_finish_ms']:.0f}",
            *(f"{row['memory_bytes'][role] / MEGA:.0f}" for role in ("worker", "server")),
            f"{row['storage_bytes_each'] / 1024:.1f}", f"{consent['p50']:.0f} / {consent['p99']:.0f}",
            f"{listing['seconds']:.1f} ({listing['open']})",
        )  # fmt: skip
    if table.row_count:
        console.print(table)
    if restart := found.get("open", {}).get("restart"):
        console.print(
            f"The worker was killed and started again: ready after {restart['ready_s']:.1f} s; "
            f"{restart['cases']} cases with a consent in between continued after {_seconds(restart['progress_s'])}"
        )
    if burst := found.get("burst"):
        console.print(
            f"{burst['complaints']} complaints, sent within {burst['sent_s']:.0f} s: {burst['kept']:.2%} acknowledged "
            f"within 10 minutes, {burst['acknowledged_per_second']:.1f}/s, after {_seconds(burst['acknowledged_s'])}"
        )
    if rung := found.get("timers"):
        console.print(
            f"{rung['timers']} timers in the same second: owners warned after {_seconds(rung['late_s'])}, "
            f"{rung['per_second']:.1f}/s, {rung['twice']} of them twice{_each(rung.get('cpu_ms'))}"
        )
    if backlog := found.get("backlog"):
        console.print(
            f"A backlog of {backlog['plain']} cases, acknowledged after {_seconds(backlog['plain_s'])}; "
            f"{backlog['left']} were left when the last of these was acknowledged:"
        )
        for name, what in (("urgent cases", "urgent_s"), ("cases of another line", "other_line_s")):
            idle, behind = backlog["idle"][what], backlog["behind"][what]
            ratio = f"p50 {behind['p50'] / idle['p50']:.2f}, p99 {behind['p99'] / idle['p99']:.2f}"
            console.print(f"  {name}: after {_seconds(behind)}; ÷ idle: {ratio}")


def show_door(console: Console, found: Row) -> None:
    """Print the answers of the HTTP API and their times, idle and under load."""
    table = Table("", "answers", "p50 ms", "p99 ms", title="HTTP API")
    for load in ("idle", "busy"):
        for kind, times in sorted(found[load]["ms"].items()):
            table.add_row(f"{load}: {kind}", str(times["number"]), str(times["p50"]), str(times["p99"]))
    console.print(table)
    for load in ("idle", "busy"):
        answers = ", ".join(f"{status}: {number}" for status, number in found[load]["statuses"].items())
        console.print(f"{load}: {answers}")


def show_fortnight(console: Console, days: Sequence[Row]) -> None:
    """Print how large each store is at the end of each day."""
    columns = ("day", "open", "closed", "in Temporal", "CPU ms of a case")
    table = Table(*columns, "Temporal MB", "its file", "our MB", "our file", "logs MB", title="What grows")
    for row in days:
        sizes = [row[f"{what}_bytes"] for what in ("server", "server_file", "ours", "ours_file", "logs")]
        table.add_row(
            *(f"{row[what]:.0f}" for what in ("day", "open", "closed", "kept", "cpu_ms")),
            *(f"{size / MEGA:.1f}" for size in sizes),
        )
    console.print(table)
    if days:
        last = days[-1]
        each = [
            f"{name} {size / 1024 / (last['open'] + last['closed']):.1f} kB" for name, size in last["texts"].items()
        ]
        console.print(f"Texts in our database, for each case: {', '.join(each)}")


def show_targets(console: Console, targets: Sequence[Row]) -> None:
    """Print the targets with pass or miss."""
    table = Table("target", "measured", "limit", "", title="Targets")
    for each in targets:
        value = NONE if each["value"] is None else f"{each['value']:.2f}"
        colour = {"pass": "green", "miss": "red"}.get(each["verdict"], "dim")
        sign = "≥" if each["at_least"] else "≤"
        table.add_row(each["name"], value, f"{sign} {each['limit']:g}", f"[{colour}]{each['verdict']}[/]")
    console.print(table)


def _each(cpu_ms: Row | None) -> str:
    """CPU time of each; results of earlier builds have none."""
    if cpu_ms is None:
        return ""
    return f"; CPU ms of each: {total(cpu_ms):.0f} (server {cpu_ms['server']:.0f}, worker {cpu_ms['worker']:.0f})"


def _seconds(value: Row) -> str:
    return f"{value['p50']:.1f} s (p50), {value['p99']:.1f} s (p99), {value['worst']:.1f} s (worst)"


def _cell(value: Row | None) -> str:
    return f"{value['median']:.0f}" if value else NONE


def _times(value: Row | None) -> str:
    return f"{value['p50']:.0f} / {value['p95']:.0f}" if value else NONE


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 (ours)
    except OSError:
        return ""


def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()
