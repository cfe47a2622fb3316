"""The only importer of vl-convert: charts as files and inside pages, whatever letters their names have."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trajectory.names import plain
from trajectory.reports.colours import GRID, INK, SOFT
from trajectory.writing import atomic_path

if TYPE_CHECKING:
    import altair as alt

SCALE = 1.5  # pixels of a file for each of a chart
_INKS = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
# Made of names, Vega's own sentences are expressions that some names break; charts tell of each mark in their own.
_SILENT = {"aria": False}
LOOK = {
    "font": "sans-serif",
    "background": None,
    "view": {"stroke": None},
    "mark": _SILENT,
    "text": {"fontSize": 12, "color": INK},
    "axis": {"labelLimit": 240, "gridColor": GRID, "domainColor": SOFT, "tickColor": SOFT, **_INKS, **_SILENT},
    "axisX": {"labelFlush": False},
    "legend": {"labelLimit": 240, "orient": "top", "symbolLimit": 0, **_INKS, **_SILENT},
    "title": {"anchor": "start", "fontSize": 13, "color": INK, **_SILENT},
    "header": _INKS,
}
# A mark with its description, which readers see when they point at it as its title.
_LABEL = re.compile(r'<(\w+) aria-label="([^"]*)" role="graphics-symbol"(?: aria-roledescription="[^"]*")?([^>]*?)/>')

_ROLE = re.compile(r' (?:role|aria-\w+)="[^"]*"')  # of its inner parts: a page tells of the whole picture


def save(chart: alt.TopLevelMixin, path: Path) -> None:
    """Writes the chart as PNG."""
    import vl_convert

    with atomic_path(path) as part:
        part.write_bytes(vl_convert.vegalite_to_png({**specification(chart), "background": "white"}, scale=SCALE))


def svg(chart: alt.TopLevelMixin) -> str:
    """The chart as an SVG file's text, in which each mark says what it shows; the same chart always gives the same."""
    import vl_convert

    named = _LABEL.sub(r"<\1\3><title>\2</title></\1>", vl_convert.vegalite_to_svg(specification(chart)))
    return _ROLE.sub("", named)


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The chart for Vega-Lite, in the look of all charts.

    Every text in it is in `plain` form: of a control character vl-convert ends the whole process.
    """
    made = {**chart.to_dict(), "config": LOOK}
    del made["$schema"]  # an address, which a page does not need
    return _plain(made)


@functools.cache
def script() -> str:
    """JavaScript that defines `vegaEmbed`, for a page whose charts follow its reader; 0.9 MB, fetches nothing."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return plain(value) if isinstance(value, str) else value
