"""Charts of what a page's reader chooses: specifications without rows, to which the page's script hands its rows.

Rows come in named data sets, whose columns each function tells; a chart is as wide as its place on the page.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from trajectory.reports.colours import GAIN, INK, LOSS, SOFT

HEIGHT = 280
BELOW = 16  # pixels from one line of text under a chart to the next
NAMES = 0.46  # of the width between both sides of `flows`, for the names at each side


def shares(unit: str) -> alt.LayerChart:
    """Columns of shares over time, past and forecast.

    shares: x, x2, low, high, colour, opacity, text; labels and titles, under the columns: x, text; rules: x, line
    (start, end, now); bands: x, x2.
    """
    x, y = alt.X("x:Q", axis=None, scale=alt.Scale(nice=False, zero=False)), alt.Y("low:Q", title=f"share of {unit}")
    height = alt.value("height")
    columns = (
        _of("shares")
        .mark_rect()
        .encode(
            x=x,
            x2="x2",
            y=y.axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]).scale(domain=[0, 1]),
            y2="high",
            color=alt.Color("colour:N", scale=None),
            opacity=alt.Opacity("opacity:Q", scale=None),
            tooltip="text:N",
        )
    )
    bands = _of("bands").mark_rect(color=INK, opacity=0.14).encode(x=x, x2="x2", y=alt.value(0), y2=height)
    dash = alt.Scale(domain=["start", "end", "now"], range=[[1, 0], [4, 3], [1, 3]])
    rules = _of("rules").mark_rule(color=INK, strokeWidth=1.5)
    rules = rules.encode(x=x, strokeDash=alt.StrokeDash("line:N", scale=dash, legend=None))
    below = [
        _of(name).mark_text(dy=row * BELOW, color=SOFT, fontSize=size).encode(x=x, y=height, text="text:N")
        for name, row, size in (("labels", 1, 12), ("titles", 2.3, 12))
    ]
    return alt.LayerChart(layer=[columns, bands, rules, *below], width="container", height=HEIGHT)


def flows() -> alt.LayerChart:
    """A Sankey diagram: ribbons from the interests at the left to those at the right, as thick as users move.

    flows: source, destination, users, colour (of the source), form (of a number of users), text.
    """
    laid = (
        _of("flows")
        .transform_joinaggregate(source_users="sum(users)", groupby=["source"])
        .transform_joinaggregate(destination_users="sum(users)", groupby=["destination"])
        .transform_joinaggregate(total="sum(users)", thinnest="min(users)")
    )
    for side in ("source", "destination"):
        laid = laid.transform_window(
            window=[{"op": "dense_rank", "as": f"{side}_rank"}],
            sort=[{"field": f"{side}_users", "order": "descending"}, {"field": side}],
            frame=[None, None],
        )
    for side, other in (("source", "destination"), ("destination", "source")):
        laid = laid.transform_stack(
            stack="users",
            groupby=["total"],
            sort=[{"field": f"{side}_rank"}, {"field": f"{other}_rank"}],
            as_=[f"{side}_low", f"{side}_high"],
        )
        gap = f"(datum.{side}_rank - 1) * datum.total * 0.04"
        for end in ("low", "high"):
            laid = laid.transform_calculate(**{f"{side}_{end}": f"datum.{side}_{end} + {gap}"})

    def x(column: str) -> alt.X:
        return alt.X(f"{column}:Q", axis=None, scale=alt.Scale(domain=[-NAMES, 1 + NAMES], nice=False))

    def y(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", axis=None, scale=alt.Scale(reverse=True, nice=False), stack=None)

    eased = "datum.at * datum.at * (3 - 2 * datum.at)"
    between = {
        end: f"datum.source_{end} + (datum.destination_{end} - datum.source_{end}) * {eased}" for end in ("low", "high")
    }
    colour = alt.Color("colour:N", scale=None)
    ribbons = (
        laid.transform_calculate(at="sequence(0, 1.001, 0.05)")
        .transform_flatten(["at"])
        .transform_calculate(**between)
        .mark_area(opacity=0.45)
        .encode(x=x("at"), y=y("low"), y2="high", detail=["source:N", "destination:N"], color=colour, tooltip="text:N")
    )
    layers = [ribbons]
    for side, at, out, align in (("source", 0, -0.015, "right"), ("destination", 1, 1.015, "left")):
        name = f"truncate(datum.{side}, max(floor(width / 30), 8)) + ' (' + format(datum.users, datum.form) + ')'"
        node = laid.transform_aggregate(
            low=f"min({side}_low)",
            high=f"max({side}_high)",
            users="sum(users)",
            colour="min(colour)",
            form="min(form)",
            groupby=[side],
        ).transform_calculate(
            at=str(at), out=str(out), beside=str(2 * out - at), middle="(datum.low + datum.high) / 2", name=name
        )
        fill = colour if side == "source" else alt.value(SOFT)
        box = node.mark_rect().encode(x=x("at"), x2="out", y=y("low"), y2="high", color=fill, tooltip=f"{side}:N")
        text = node.mark_text(align=align, baseline="middle", fontSize=12, color=INK)
        layers += [box, text.encode(x=x("beside"), y=y("middle"), text="name:N", tooltip=f"{side}:N")]
    return alt.LayerChart(layer=layers, width="container")


def timeline() -> alt.Chart:
    """A bar for each past event, green where it adds, red where it takes.

    events: place (its number and, after a line separator, the label under it), nats, framed (bool), text.
    """
    label = alt.Axis(
        labelExpr=r"split(datum.label, '\u2028')[1]",
        labelAngle=0,
        labelFlush=True,
        labelOverlap="greedy",
        labelSeparation=14,
        ticks=False,
    )
    return (
        _of("events")
        .mark_bar()
        .encode(
            x=alt.X("place:O", sort=None, title=None, axis=label),
            y=alt.Y("nats:Q", title="nats", axis=alt.Axis(format="+")),
            color=alt.condition(alt.datum.nats < 0, alt.value(LOSS), alt.value(GAIN)),
            stroke=alt.condition("datum.framed", alt.value(INK), alt.value(None)),
            strokeWidth=alt.value(2),
            tooltip="text:N",
        )
        .properties(width="container", height=HEIGHT)
    )


def _of(name: str) -> Any:
    return alt.Chart(alt.NamedData(name))
