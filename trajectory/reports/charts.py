"""Charts of Polars frames for notebooks, pages and files (`pictures.save`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from trajectory.names import plain
from trajectory.reports.colours import COLOURS, FAINT, GAIN, INK, LINE, LOSS, NARROW_BAND, OTHER, PAPER, SEEN, WIDE

MOST = 20  # rows of a chart whose rows have names
WIDTH = 420
NARROW = 270  # beside names, in half of a page
TOLD = "told:N"  # a column that says a row in one line, for those who point at its mark or cannot see it
POINT = alt.OverlayMarkDef(aria=True)
BREAK = "\u2028"  # where a label goes on in the next line
_LINES = r"split(datum.label, '\u2028')"


def bars(frame: pl.DataFrame, name: str, value: str, title: str, *, unit: str = "", percent: bool = False) -> alt.Chart:
    """A bar for each row, in the order of the frame, the first MOST at most; `unit` names the horizontal axis."""
    shown = frame.head(MOST).with_columns(distinct(frame[name].head(MOST)))
    axis = alt.Axis(format="%") if percent else alt.Axis()
    return (
        alt.Chart(_told(shown), title=title, width=WIDTH)
        .mark_bar(aria=True)
        .encode(
            x=alt.X(f"{value}:Q", title=unit or _words(value), axis=axis),
            y=_named(name),
            color=alt.condition(alt.datum[value] < 0, alt.value(LOSS), alt.value(GAIN)),
            tooltip=list(shown.columns),
            description=TOLD,
        )
    )


def changes(frame: pl.DataFrame, name: str, before: str, after: str, unit: str) -> alt.LayerChart:
    """A line for each row, from a hollow point before to a full one after; rises blue, falls red."""
    shown = frame.with_columns(distinct(frame[name]))
    base = alt.Chart(_told(shown), width=NARROW, height=alt.Step(40)).encode(
        y=_named(name), tooltip=list(shown.columns), description=TOLD
    )
    rises = alt.condition(alt.datum[after] >= alt.datum[before], alt.value(COLOURS[2]), alt.value(LOSS))
    x = alt.X(f"{before}:Q", title=unit, scale=alt.Scale(zero=True, domainMin=0))
    return (
        base.mark_rule(strokeWidth=2.5).encode(x=x, x2=f"{after}:Q", color=rises)
        + base.mark_point(size=45, fill=PAPER, color=INK, opacity=1, aria=True).encode(x=x)
        + base.mark_circle(size=55, color=INK, opacity=1, aria=True).encode(x=f"{after}:Q")
    )


def heat(frame: pl.DataFrame, across: str, down: str, value: str, title: str, unit: str = "") -> alt.Chart:
    """A cell for each row, the darker the greater its value."""
    return (
        alt.Chart(_told(frame), title=title)
        .mark_rect(aria=True)
        .encode(
            x=alt.X(f"{across}:O", title=_words(across)),
            y=alt.Y(f"{down}:N", sort=None, title=_words(down), axis=_row_labels()),
            color=alt.Color(f"{value}:Q", title=unit or _words(value), scale=alt.Scale(scheme="greens")),
            tooltip=list(frame.columns),
            description=TOLD,
        )
    )


def matrix(
    frame: pl.DataFrame, value: str, bound: float, titles: tuple[str, str] = ("", ""), legend: str = ""
) -> alt.LayerChart:
    """A cell for each row of columns `across` and `down`, with its `label`: red below zero, blue above, to ±`bound`.

    `titles` are of the two axes, `legend` of the colours' shares; what is empty is left out.
    """
    hues = alt.Legend(title=legend, format="+.0%", titleLimit=300, orient="right") if legend else None
    base = alt.Chart(_told(frame)).encode(
        x=alt.X("across:N", sort=None, title=titles[0] or None, axis=_labels(labelAngle=-40, labelAlign="right")),
        y=alt.Y("down:N", sort=None, title=titles[1] or None, axis=_row_labels()),
        tooltip=list(frame.columns),
        description=TOLD,
    )
    colour = alt.Color(f"{value}:Q", scale=alt.Scale(scheme="redblue", domain=[-bound, bound], clamp=True), legend=hues)
    strong = (alt.datum[value] > 0.6 * bound) | (alt.datum[value] < -0.6 * bound)
    ink = alt.condition(strong, alt.value("white"), alt.value("black"))
    return base.mark_rect(aria=True).encode(color=colour) + base.mark_text(fontSize=12).encode(
        text="label:N", color=ink
    )


def band(
    frame: pl.DataFrame, x: str, value: str, bounds: Mapping[str, tuple[str, str]], title: str, unit: str = ""
) -> alt.LayerChart:
    """A line over time with the intervals around it (what they are -> their columns, the widest first).

    A column `observed`, if there is one, is drawn as another line.
    """
    names = [*bounds, "observed", _words(value)]
    hues = [*[WIDE, NARROW_BAND][-len(bounds) :], SEEN, LINE]
    both = "observed" in frame.columns
    part = _parts(names, hues, alt.Legend(title=None, orient="top") if both else None)
    base = alt.Chart(_told(frame), title=title, width=WIDTH).encode(x=alt.X(x, title=_words(x)))

    def y(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", title=unit or _words(value))

    layers = [part(base.mark_area(opacity=1).encode(y=y(low), y2=high), name) for name, (low, high) in bounds.items()]
    layers += [part(base.mark_line().encode(y=y("observed")), "observed")] * both
    line = base.mark_line(point=POINT).encode(y=y(value), tooltip=list(frame.columns), description=TOLD)
    return alt.LayerChart(layer=[*layers, part(line, names[-1])])


def lines(
    frame: pl.DataFrame, x: str, value: str, colour: str, title: str, *, unit: str = "", zero: bool = True
) -> alt.Chart:
    """A line with points for each value of `colour`; `unit` names the vertical axis, which starts at zero or not."""
    names = frame[colour].unique(maintain_order=True).to_list()
    across = frame[_column(x)].unique().sort()
    if across.dtype == pl.String:
        axis = alt.Axis(labelAngle=0, labelFontSize=12)
    elif across.dtype.is_numeric() and len(across) <= MOST:
        # As the data have them: `format` alone would round to the distance of the ticks, and 0.15 would read 0.1.
        axis = alt.Axis(values=across.to_list(), labelExpr="format(datum.value, '~g')")
    else:
        axis = alt.Axis()
    return (
        alt.Chart(_told(frame), title=title, width=WIDTH)
        .mark_line(point=POINT)
        .encode(
            x=alt.X(x, title=_words(x), axis=axis, sort=None),
            y=alt.Y(f"{value}:Q", title=unit or _words(value), scale=alt.Scale(zero=zero)),
            color=alt.Color(f"{colour}:N", title=_words(colour), sort=None, scale=_palette(names)),
            tooltip=list(frame.columns),
            description=TOLD,
        )
    )


def budget(frame: pl.DataFrame, x: str, value: str, colour: str, title: str, unit: str) -> alt.Chart:
    """Lines of which that of `expected` is black and broken and that of `at random` grey and dotted."""
    names = frame[colour].unique(maintain_order=True).to_list()
    drawn = {"expected": (INK, [6, 4]), "at random": (FAINT, [2, 3])}
    others = iter(COLOURS)
    style = [drawn.get(name) or (next(others), [1, 0]) for name in names]
    hue, dash = (alt.Scale(domain=names, range=[one[i] for one in style]) for i in (0, 1))
    legend = alt.Legend(title=None, orient="top", columns=2, labelLimit=200)
    return (
        alt.Chart(frame, width=WIDTH, height=240)
        .mark_line()
        .encode(
            x=alt.X(f"{x}:Q", title=title),
            y=alt.Y(f"{value}:Q", title=unit),
            color=alt.Color(f"{colour}:N", scale=hue, legend=legend),
            strokeDash=alt.StrokeDash(f"{colour}:N", scale=dash, legend=legend),
            tooltip=list(frame.columns),
        )
    )


def trade_off(frame: pl.DataFrame, x: str, value: str, across: str, unit: str) -> alt.LayerChart:
    """A line through points, of which those with a text in `label` show it."""
    base = alt.Chart(_told(frame), width=WIDTH, height=240).encode(
        x=alt.X(f"{x}:Q", title=across, axis=alt.Axis(format=".1%"), scale=alt.Scale(zero=False, padding=24)),
        y=alt.Y(f"{value}:Q", title=unit, scale=alt.Scale(zero=False, padding=12)),
        order=alt.Order("share:Q"),
    )
    label = base.mark_text(align="left", dx=6, dy=-6).encode(text="label:N")
    return base.mark_line(point=POINT).encode(color=alt.value(COLOURS[0]), description=TOLD) + label


def calibration(frame: pl.DataFrame, title: str) -> alt.LayerChart:
    """A reliability diagram: columns `confidence`, `outcome`, and `low` to `high`, the band if calibrated.

    Interest shares are mostly small: the axes end where the data do.
    """
    highest = max(frame[name].max() for name in ("confidence", "outcome", "high"))  # type: ignore[type-var]
    end = min(1.0, 1.08 * float(highest)) or 1.0  # type: ignore[arg-type]
    scale = alt.Scale(domain=[0, end])
    names = ["perfect", "95 % if calibrated", "observed"]
    part = _parts(names, [FAINT, NARROW_BAND, LOSS], alt.Legend(title=None, orient="top"))
    x = alt.X("confidence:Q", title="predicted probability", scale=scale)

    def y(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", title="observed share", scale=scale)

    base = alt.Chart(_told(frame), title=title, width=260, height=260).encode(x=x)
    ideal = alt.Chart(pl.DataFrame({"confidence": [0.0, end]})).mark_line(strokeDash=[4, 3]).encode(x=x)
    band = base.mark_rule(strokeWidth=6).encode(y=y("low"), y2="high")
    line = base.mark_line(point=POINT).encode(y=y("outcome"), description=TOLD)
    layers = zip((ideal.encode(y=y("confidence")), band, line), names, strict=True)
    return alt.LayerChart(layer=[part(layer, name) for layer, name in layers])


def intervals(
    frame: pl.DataFrame, name: str, value: str, error: str, title: str, unit: str = "", errors: float = 2
) -> alt.LayerChart:
    """A point for each row with `errors` (two) standard errors to both sides; an orange square where `base` is true."""
    spread = errors * pl.col(error).fill_null(0)
    both = frame.with_columns(low=pl.col(value) - spread, high=pl.col(value) + spread)
    return ranges(both, name, value, ("low", "high"), title, unit)


def ranges(
    frame: pl.DataFrame, name: str, value: str, ends: tuple[str, str], title: str, unit: str = "", form: str = ""
) -> alt.LayerChart:
    """A point for each row on a line between two `ends`, columns too; an orange square where `base` is true."""
    shown = frame.with_columns(distinct(frame[name]))
    base = alt.Chart(_told(shown), title=title, width=WIDTH).encode(y=_named(name))
    scale = alt.Scale(zero="base" not in frame.columns)
    axis = alt.Axis(tickCount=6, format=form) if form else alt.Axis(tickCount=6)
    x = alt.X(f"{ends[0]}:Q", title=unit or _words(value), scale=scale, axis=axis)
    point = base.mark_point(filled=True, size=60, opacity=1, aria=True)
    point = point.encode(x=f"{value}:Q", tooltip=list(frame.columns), description=TOLD)
    if "base" in frame.columns:
        base = base.encode(color=alt.condition(alt.datum["base"], alt.value(COLOURS[1]), alt.value(COLOURS[2])))
        shape = alt.condition(alt.datum["base"], alt.value("square"), alt.value("circle"))
        point = point.encode(color=base.encoding.color, shape=shape)
    return base.mark_rule().encode(x=x, x2=ends[1]) + point


def rule(value: float) -> alt.Chart:
    """A broken line across a chart, to lay over it."""
    return alt.Chart(pl.DataFrame({"rule": [value]})).mark_rule(strokeDash=[5, 4], color=FAINT).encode(x="rule:Q")


def scatter(vectors: np.ndarray, labels: Sequence[Any], title: str) -> alt.Chart:
    """Vectors [n, D] along the two directions in which they differ most (principal components)."""
    centred = vectors - vectors.mean(axis=0)
    place = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    place = np.pad(place, ((0, 0), (0, 2 - place.shape[1])))
    frame = pl.DataFrame({"first": place[:, 0], "second": place[:, 1], "name": [str(label) for label in labels]})
    return (
        alt.Chart(frame, title=title, width=WIDTH, height=WIDTH)
        .mark_circle()
        .encode(
            x=alt.X("first:Q", title="first principal component"),
            y=alt.Y("second:Q", title="second principal component"),
            tooltip=["name"],
        )
    )


def groups(frame: pl.DataFrame, names: Sequence[str], rest: bool, title: str, axis: str) -> alt.Chart:
    """Points at `x` and `y` in the colour of their `group`, the first of `names` above; the last is grey if `rest`."""
    hues = [*COLOURS[: len(names) - rest], *[OTHER] * rest]
    legend = alt.Legend(title=None, orient="bottom", columns=3, labelLimit=160, symbolSize=60)
    return (
        alt.Chart(frame.sort("order", descending=True), title=title, width=480, height=480)
        .mark_circle(size=14, opacity=1)
        .encode(
            x=alt.X("x:Q", title=f"{axis} 1 (no unit)"),
            y=alt.Y("y:Q", title=f"{axis} 2 (no unit)"),
            color=alt.Color("group:N", scale=alt.Scale(domain=list(names), range=hues), legend=legend),
        )
    )


def panels(
    charts: Sequence[alt.Chart | alt.LayerChart], columns: int, *title: str, one_legend: bool = True
) -> alt.ConcatChart:
    """Charts side by side, each with its own axes, under the lines of a title, with one legend or with one for each."""
    together = alt.concat(*charts, columns=columns).resolve_scale(color="shared" if one_legend else "independent")
    return together.properties(title=list(title)) if title else together


def wrapped(name: str, letters: int, most: int) -> str:
    """The name in lines of so many letters, `most` lines at most, for the axis of a chart."""
    return BREAK.join(wrap(plain(name), letters, max_lines=most, placeholder="…"))


def distinct(names: pl.Series) -> pl.Series:
    """Names as they are shown; where some look alike, all but the first end in invisible letters, to stay apart."""
    shown = [plain(str(name)) for name in names]
    return pl.Series(names.name, [name + "\u200b" * shown[:i].count(name) for i, name in enumerate(shown)], pl.String)


def _told(frame: pl.DataFrame) -> pl.DataFrame:
    rows = [[_said(*cell) for cell in row.items() if cell[1] is not None] for row in frame.to_dicts()]
    return frame.with_columns(pl.Series("told", ["; ".join(row) for row in rows], pl.String))


def _said(name: str, value: Any) -> str:
    if not isinstance(value, float):
        return f"{_words(name)}: {value}"
    return f"{_words(name)}: {value:,.0f}" if abs(value) >= 1000 else f"{_words(name)}: {value:.4g}"


def _named(name: str) -> alt.Y:
    return alt.Y(f"{name}:N", sort=None, title=None, axis=_row_labels())


def _labels(**options: Any) -> alt.Axis:
    return alt.Axis(labelLimit=240, labelExpr=_LINES, **options)


def _row_labels() -> alt.Axis:
    """Each label beside the middle of its row, however many lines it has (Vega puts the first line there)."""
    up = [{"test": f"length({_LINES}) === {lines}", "value": 6 * (1 - lines)} for lines in (2, 3, 4)]
    return _labels(labelOffset={"condition": up, "value": 0})


def _parts(names: list[str], hues: list[str], legend: alt.Legend | None) -> Callable[[alt.Chart, str], alt.Chart]:
    """A function that gives a layer its name in the legend of all layers, and its colour."""
    colour = alt.Color("part:N", scale=alt.Scale(domain=names, range=hues), legend=legend)
    return lambda layer, name: layer.transform_calculate(part=f"'{name}'").encode(color=colour)


def _palette(names: Sequence[Any]) -> Any:
    """A colour for each; of more than there are, they come again."""
    hues = [COLOURS[i % len(COLOURS)] for i in range(len(names))]
    return alt.Scale(domain=list(names), range=hues)


def _words(column: str) -> str:
    return _column(column).replace("_", " ")


def _column(shorthand: str) -> str:
    return shorthand.partition(":")[0]
