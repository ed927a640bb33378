"""The charts of a review as SVG."""

from collections.abc import Sequence

import altair as alt

from drawing import QUIET, Drawing
from review.figures import Funnel, Level, Point, Time
from review.outliers import COMPLAINTS, limits_at
from review.texts import Words

HEIGHT, LABEL_SIZE = 250, 13
STEPS = 60
"""Points of a curve."""
LABELLED = 6
"""Subjects whose names are written into a funnel: the furthest out."""
DRAWN = 300
"""Subjects that a funnel shows: every outlier, and the largest of the others."""
WIDE = 8
"""A funnel whose largest subject is that many times the smallest has a logarithmic scale."""
ROW = 30
COLOURS = {Level.ALARM: "#c02626", Level.WATCH: "#d97706", Level.USUAL: "#52606d", Level.BETTER: "#0f766e"}
BAND_998, BAND_95, ACCENT = "#eef2f7", "#d9e2ec", "#2456a6"


def funnel_chart(funnel: Funnel, words: Words) -> str:
    """Return the subjects of a dimension in their funnel."""
    sizes = sorted(point.n for point in funnel.points)
    first, last = sizes[0] * 0.9, sizes[-1] * 1.1
    wide = last / first > WIDE
    grid = [
        first * (last / first) ** (step / STEPS) if wide else first + (last - first) * step / STEPS
        for step in range(STEPS + 1)
    ]
    curves = [{"n": n, **vars(limits_at(funnel.figure, funnel, n))} for n in grid]
    labelled = sorted((p for p in funnel.points if p.level != Level.USUAL), key=lambda p: -abs(p.z))[:LABELLED]
    points = [{"n": point.n, "value": point.value, "level": point.level} for point in drawn(funnel)]
    labels = [
        {"n": p.n, "value": p.value, "level": p.level, "label": words.subject(funnel.dimension, p.subject)}
        for p in labelled
    ]
    ratio = funnel.figure == COMPLAINTS
    drawing = Drawing()
    x = alt.X(
        "n:Q",
        title=words.text("size_expected" if ratio else "size"),
        scale=alt.Scale(type="log" if wide else "linear", domain=[first, last], nice=False),
        axis=alt.Axis(tickCount=5, format="~s", grid=False),
    )
    axis = alt.Axis(format=".1~f" if ratio else ".0%", tickCount=5)
    title = words.label("axis", "complaints" if ratio else "share")

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(nice=True))

    curve = drawing.chart(curves).encode(x=x)
    names = drawing.chart(labels).encode(x=x, y=y("value"), text="label:N")
    colour = alt.Color(
        "level:N", scale=alt.Scale(domain=[str(each) for each in COLOURS], range=[*COLOURS.values()]), legend=None
    )
    chart = alt.layer(
        curve.mark_area(color=BAND_998).encode(y=y("low_998"), y2="high_998"),
        curve.mark_area(color=BAND_95).encode(y=y("low_95"), y2="high_95"),
        drawing.chart([{"target": funnel.target}]).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(y=y("target")),
        drawing.chart(points).mark_circle(size=55, opacity=0.9).encode(x=x, y=y("value"), color=colour),
        names.mark_text(align="left", dx=7, dy=-7, fontSize=13, fontWeight="bold").encode(color=colour),
    )
    return drawing.svg(chart, HEIGHT, LABEL_SIZE)


def drawn(funnel: Funnel) -> list[Point]:
    """Return the subjects that the chart of a funnel shows."""
    return sorted(funnel.points, key=lambda p: (p.level == Level.USUAL, -p.n, p.subject))[:DRAWN]


def times_chart(times: Sequence[Time], words: Words) -> str:
    """Return how long each line of business took for one measure: a dot at the median, a line up to 95 %."""
    unit, name = _unit(max(each.p95 for each in times))
    rows = [
        {
            "name": words.subject(each.dimension, each.subject),
            "median": each.median / unit,
            "p95": each.p95 / unit,
            "label": f"{words.duration(each.median)} · {words.duration(each.p95)}",
        }
        for each in times
    ]
    drawing = Drawing()
    base = drawing.chart(rows).encode(
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=150, ticks=False, domain=False)),
    )
    x = alt.X("median:Q", title=words.label("duration", name).format(n="").strip(), axis=alt.Axis(tickCount=4))
    chart = alt.layer(
        base.mark_rule(color=ACCENT, strokeWidth=3, opacity=0.35).encode(x=x, x2="p95"),
        base.mark_circle(color=ACCENT, size=90, opacity=1).encode(x=x),
    )
    return drawing.svg(chart, ROW * len(rows), LABEL_SIZE)


def _unit(longest: int) -> tuple[int, str]:
    for seconds, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if longest >= 2 * seconds:
            return seconds, name
    return 1, "seconds"
