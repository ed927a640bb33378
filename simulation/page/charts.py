"""The charts of a simulation as SVG."""

import unicodedata
from typing import Any

import altair as alt

from drawing import INK, Drawing
from simulation.figures import Result
from simulation.page.words import Words

HEIGHT, ROW, LABEL_SIZE = 190, 22, 12
COLOURS = ("#2456a6", "#d97706")
"""The colours of the first and the second variant."""
LOADS = ("#f5f7fa", "#9ec1e8", "#2f6cb5", "#c02626")
"""From idle to more than people can do."""
QUEUES = ("#f8fafc", "#f7c98b", "#c02626")
LABELLED = 10
"""The most labels of an axis of days."""
EVERY_THREE_HOURS = list(range(0, 24, 3))


def days_chart(results: list[Result]) -> str:
    """Return how often the promise in question was kept, day by day, for each variant."""
    days = [each.day.isoformat() for each in results[0].days]
    shown = days[:: -(-len(days) // LABELLED)]
    axis = alt.Axis(values=shown, labelExpr="replace(substring(datum.value, 8), /^0/, '')", labelAngle=0, grid=False)
    x = alt.X("day:O", title=None, axis=axis, scale=alt.Scale(domain=days))
    y = alt.Y("kept:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5), scale=alt.Scale(zero=False))
    drawing = Drawing()
    layers: list[alt.Chart] = []
    for result, colour in zip(results, COLOURS, strict=False):
        rows = [
            {"day": each.day.isoformat(), "kept": kept.mean, "low": low, "high": high}
            for each in result.days
            if (kept := each.kept)
            for low, high in [(kept.low, kept.high) if kept.low is not None else (kept.mean, kept.mean)]
        ]
        base = drawing.chart(rows).encode(x=x)
        layers += [
            base.mark_area(color=colour, opacity=0.18).encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
            base.mark_line(color=colour, strokeWidth=2, point=alt.OverlayMarkDef(size=22, color=colour)).encode(y=y),
        ]
    layers.append(
        drawing.chart([{"target": results[0].answer.target}])
        .mark_rule(color=INK, strokeDash=[5, 4])
        .encode(y="target:Q")
    )
    return drawing.svg(alt.layer(*layers), HEIGHT, LABEL_SIZE)


def load_chart(result: Result, words: Words) -> str:
    """Return the load of each crew by hour, on the day of the question."""
    rows = [
        {"name": words.crew(crew), "hour": hour, "value": load, "text": f"{100 * load:.0f}"}
        for crew in result.crews
        for hour, load in enumerate(crew.load_that_day)
        if load is not None
    ]
    return _heatmap(rows, [words.crew(crew) for crew in result.crews], LOADS, [0, 0.4, 0.85, 1.1], 0.7)


def queue_chart(result: Result, words: Words) -> str:
    """Return the mean length of each team's queue by hour, on the day of the question."""
    teams = sorted(result.teams, key=lambda team: -max(each or 0 for each in team.queue_that_day))
    rows = [
        {
            "name": words.name("team", team.team),
            "hour": hour,
            "value": length,
            "text": f"{length:.0f}" if length >= 1 else "",
        }
        for team in teams
        for hour, length in enumerate(team.queue_that_day)
        if length is not None
    ]
    longest = max((row["value"] for row in rows if isinstance(row["value"], float)), default=1.0)
    return _heatmap(
        rows,
        [words.name("team", team.team) for team in teams],
        QUEUES,
        [0, longest / 4, max(longest, 1)],
        0.6 * longest,
    )


def _heatmap(
    rows: list[dict[str, Any]], names: list[str], colours: tuple[str, ...], steps: list[float], dark: float
) -> str:
    # Room for the labels in the reader's font, which may be wider than the one that the chart was measured with.
    widest = max((_width(name) for name in names), default=0)
    axis = alt.Axis(labelLimit=widest, minExtent=widest, ticks=False, domain=False)
    drawing = Drawing()
    base = drawing.chart(rows).encode(
        x=alt.X(
            "hour:O",
            title=None,
            axis=alt.Axis(values=EVERY_THREE_HOURS, labelAngle=0),
            scale=alt.Scale(domain=list(range(24))),
        ),
        y=alt.Y("name:N", title=None, sort=names, axis=axis),
    )
    colour = alt.Color(
        "value:Q", scale=alt.Scale(domain=steps, range=list(colours), clamp=True, interpolate="rgb"), legend=None
    )
    ink = alt.condition(f"datum.value > {dark}", alt.value("white"), alt.value(INK))
    chart = alt.layer(
        base.mark_rect(stroke="white", strokeWidth=1).encode(color=colour),
        base.mark_text(fontSize=9).encode(text="text:N", color=ink),
    )
    return drawing.svg(chart, ROW * len(names), LABEL_SIZE)


def _width(text: str) -> int:
    """Return room for a text, in pixels: a Chinese character is as wide as two others."""
    return sum(14 if unicodedata.east_asian_width(character) in "WF" else 8 for character in text) + 4
