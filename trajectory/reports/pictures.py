"""The only importer of vl-convert: charts as files and inside pages, whatever letters their names have."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trajectory.names import plain
from trajectory.writing import atomic_path

if TYPE_CHECKING:
    import altair as alt

SCALE = 1.5  # pixels of a file for each of a chart
LOOK = {
    "aria": False,  # said by the pages; made of names, Vega's own sentences are expressions that some names break
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {"labelLimit": 240, "gridColor": "#dfe4ea", "domainColor": "#5b6875", "tickColor": "#5b6875"},
    "axisX": {"labelFlush": False},
    "legend": {"labelLimit": 240, "orient": "top", "symbolLimit": 0},
    "title": {"anchor": "start", "fontSize": 13},
}


def save(chart: alt.TopLevelMixin, path: Path) -> None:
    """Writes the chart as PNG."""
    import vl_convert

    with atomic_path(path) as part:
        part.write_bytes(vl_convert.vegalite_to_png(specification(chart), scale=SCALE))


def svg(chart: alt.TopLevelMixin) -> str:
    """The chart as an SVG file's text; the same chart always gives the same."""
    import vl_convert

    return vl_convert.vegalite_to_svg(specification(chart))


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
