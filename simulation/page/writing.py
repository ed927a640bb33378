"""The pages of a simulation: one HTML file for each language, without scripts, that needs nothing else."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from messages import LOCALES
from simulation.figures import Comparison, Difference, Result, Simulation
from simulation.page.charts import COLOURS, days_chart, load_chart, queue_chart
from simulation.page.words import Words

JSON = "simulation.json"
TOO_SMALL = 0.0005
"""A change of a share, or of minutes, that is not worth a line."""


def write(found: Simulation, folder: Path) -> list[Path]:
    """Write the JSON and the page in every language into a folder. Return the files.

    They are complete or absent: they are written elsewhere and then renamed. Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".simulation-", dir=folder))
    try:
        (made / JSON).write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for locale in LOCALES:
            (made / f"simulation.{locale}.html").write_text(page(found, locale), encoding="utf-8")
        files = [folder / path.name for path in sorted(made.iterdir())]
        for path in files:
            (made / path.name).replace(path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return files


def page(found: Simulation, locale: str) -> str:
    """Return the page in a language."""
    words = Words(locale)
    charts = [(result, load_chart(result, words), queue_chart(result, words)) for result in found.results]
    return _template().render(
        found=found,
        w=words,
        by_day=days_chart(found.results),
        charts=charts,
        colours=COLOURS,
        differences=_differences(found.comparison),
        hung_up=[_hung_up(result) for result in found.results],
    )


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2")


def _differences(comparison: Comparison | None) -> list[tuple[bool, Difference]]:
    """Return the figures that differ, each with whether the difference is clear: the interval does not contain zero."""
    found = []
    for each in comparison.differences if comparison else ():
        low, high = each.difference.low, each.difference.high
        clear = low is not None and high is not None and not low <= 0 <= high and abs(each.difference.mean) >= TOO_SMALL
        if each.a.mean != each.b.mean:
            found.append((clear, each))
    return found


def _hung_up(result: Result) -> float | None:
    """Return how many customers hung up on the day of the question; None without such a day."""
    if result.answer.on is None:
        return None
    return next(day.abandoned.mean for day in result.days if day.day == result.answer.on)
