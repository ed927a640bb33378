"""`python -m docs.statuses`: write the page about statuses from the table of transitions."""  # noqa: INP001 (the documentation is not a package)

from pathlib import Path

from cases.state.status import TRANSITIONS
from cases.vocabulary import Status

PAGE = Path(__file__).with_name("statuses.md")


def _arrows() -> list[str]:
    """Return one arrow for each pair of statuses, in the order of the statuses."""
    pairs = {(source, t.target) for t in TRANSITIONS for source in t.sources}
    return [f"    {a} --> {b}" for a in Status for b in Status if (a, b) in pairs]


def _rows() -> list[str]:
    return [
        f"| {', '.join(f'`{s}`' for s in Status if s in t.sources)} | `{t.target}` | {t.when} |" for t in TRANSITIONS
    ]


def page() -> str:
    """Return the content of the file."""
    lines = [
        "# Statuses of a case",
        "",
        "Written by `python -m docs.statuses` from the table in `cases/state/status.py`; a test fails when this page",
        "is out of date. `Case.enter` is the only place that changes a status. It raises an error for a transition",
        "that is not listed here.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {Status.RECEIVED}",
        *_arrows(),
        f"    {Status.CLOSED} --> [*]",
        "```",
        "",
        "| from | to | when |",
        "| --- | --- | --- |",
        *_rows(),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
