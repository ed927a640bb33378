"""Charts as SVG, drawn by Vega-Altair in one style, for pages without scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

INK, QUIET, GRID = "#1f2933", "#66727f", "#e3e8ee"
WIDTH = 420
"""Small, so that a phone shows it readably."""


class Drawing:
    """A chart and its rows. Altair gets only the names of the rows, because it would copy and check each many times."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Mapping[str, Any]]] = {}

    def chart(self, rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
        """Return a chart of these rows."""
        name = f"rows-{len(self._rows)}"
        self._rows[name] = [*rows]
        return alt.Chart(alt.NamedData(name))

    def svg(self, chart: Any, height: int, label_size: int) -> str:
        """Return a chart whose parts `chart` has made. `height` and `label_size` are pixels."""
        axis = {
            "labelColor": QUIET,
            "titleColor": QUIET,
            "gridColor": GRID,
            "domainColor": GRID,
            "tickColor": GRID,
            "labelFontSize": label_size,
            "titleFontSize": label_size,
            "titleFontWeight": "normal",
        }
        styled = chart.properties(width=WIDTH, height=height, background="transparent").configure(
            font="sans-serif", padding=4, axis=axis, view={"stroke": None}
        )
        return str(vl_convert.vegalite_to_svg(styled.to_dict() | {"datasets": self._rows}))
