"""What the page says of demand, in a merchant's words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.evaluate import OURS
from trajectory.insights.demand.evaluation_page import SOON, Results, holdout_accuracy, mean_errors, weeks_long
from trajectory.insights.demand.order_rule import ordered_by
from trajectory.insights.demand.plots import forecast_chart
from trajectory.insights.demand.reorder import COVER, LEAD, SERVICE_LEVEL
from trajectory.insights.demand.weekly_counts import Weeks
from trajectory.insights.report_model import Picture, Table, Text

BUSY = 20.0  # events a week of what is worth a sentence
TOLD = 0.005  # changes that are printed as more than 0%
USELESS = 1.0  # error as a share of demand from which on nothing is advised: forecasting none is as near
NAMED = 3
MOST = 10  # rows of a table
SINGULAR = {"item": "item", "interest": "category", "department": "department"}
PLURAL = {"item": "items", "interest": "categories", "department": "departments"}
LINES = "{:,.0f}"


def sentences(demand: Demand, tables: dict[str, pl.DataFrame], results: Results) -> tuple[str, ...]:
    """What matters, most important first."""
    main = demand.weeks.main
    change = changes(tables["demand"], main)
    rule = tables["reorder"].filter(pl.col("level") == main)["rule"][0]
    moving = change.filter(rule == OURS)  # of a forecast that orders do not go by, nothing is said to be expected
    risen = moving.filter(pl.col("change") > TOLD, pl.col("recent") < pl.col("low_80"))
    fallen = moving.filter(pl.col("change") < -TOLD, pl.col("recent") > pl.col("high_80")).reverse()
    order = tables["reorder"].filter(pl.col("level") == main, pl.col("order_quantity") >= 0.5).head(NAMED)
    if (error := mean_errors(results[main])[0][rule]) >= USELESS:
        tested = weeks_long(len(demand.tested))
        return (f"Do not order by this: in the last {tested} of this log it was off by {error:.0%} of demand.",)
    found = [said] if (said := ordered_by(demand, results, tables["reorder"], main)) else []
    if demand.held_out is None:
        found.append("How far these forecasts of demand hold is not known, as the run has learned from all weeks.")
    if len(risen):
        found.append(
            f"Over the next {SOON} weeks expect more of {_named(risen, 'change', '{:+.0%}')} than in the last."
        )
    if len(fallen):
        found.append(f"Expect less of {_named(fallen, 'change', '{:+.0%}')}: order less.")
    lasts = f"so that stock lasts {COVER} weeks with {SERVICE_LEVEL:.0%} certainty"
    if len(order):
        largest = _named(order, "order_quantity", f"{LINES} {demand.weeks.words.unit}")
        pieces = " These are lines of sales, not pieces." if demand.lines else ""
        found.append(f"Largest orders now, {lasts}: {largest}.{pieces}")
    else:
        found.append(f"Nothing is to be ordered now {lasts}.")
    if demand.held_out is None:
        return tuple(found)
    wape, last = mean_errors(results[main])
    ahead = "1 week" if last == 1 else f"1 to {last} weeks"
    stock = {row["method"]: row for row in results[main]["ordering"].to_dicts()}
    ours, other = stock[OURS], stock["moving average"]
    return (
        *found,
        f"In {weeks_long(len(demand.tested))} held out the forecast was off by {wape[OURS]:.1%} of demand at {ahead} "
        f"ahead, a moving average by {wape['moving average']:.1%}, last week's figure by "
        f"{wape['last week']:.1%}.",
        f"Ordering by it would have lost {ours['demand_lost']:.2%} of demand with {ours['stock_left_weeks']:.2f} "
        f"weeks' stock left over; by a moving average {other['demand_lost']:.2%} with {other['stock_left_weeks']:.2f}.",
    )


def blocks(demand: Demand, tables: dict[str, pl.DataFrame], results: Results) -> tuple[Text | Table | Picture, ...]:
    """What to act on, then how far it held and its limits."""
    weeks, main, unit = demand.weeks, demand.weeks.main, demand.weeks.words.unit
    sums = "".join(f"; {PLURAL[below]} add up to {PLURAL[upper]}" for below, upper in pairwise(weeks.levels))
    shown = [level for level in reversed(weeks.levels) if level != "item" or level == main]
    change = changes(tables["demand"], main)
    moves = pl.concat([change.head(MOST), change.tail(MOST).reverse()]).unique(maintain_order=True)
    columns = ["level", "name", "rule", "expected_demand", "safety_stock", "order_up_to", "order_quantity"]
    orders = pl.concat([tables["reorder"].filter(level=level).head(2 * MOST) for level in reversed(weeks.levels[:2])])
    return (
        Text(
            f"Demand is {_sold(demand)} a week, from Monday to Sunday{sums}.{_places(demand)}"
            + returned(weeks)
            + around(weeks)
        ),
        *(forecast_chart(demand, level, PLURAL[level]) for level in shown),
        _moves(moves, main, unit),
        Table(
            "What to order now",
            orders.select(columns),
            dict.fromkeys(columns[3:], LINES),
            by="level",
            note=f"{_rules(demand, results, tables['reorder'])} {unit.capitalize()}. Orders go out weekly and come "
            f"{LEAD} week later: up to what lasts {COVER} weeks with {SERVICE_LEVEL:.0%} certainty, less what is in "
            "stock and on order. order_quantity takes the stock to be what would be left had this been followed so "
            "far; for your own stock take order_up_to less what you have.".lstrip(),
        ),
        *holdout_accuracy(demand, results),
    )


def _moves(moves: pl.DataFrame, main: str, unit: str) -> Table | Text:
    if moves.is_empty():
        return Text(
            f"Rises and falls of the next {SOON} weeks are not listed: of no {SINGULAR[main]} were there at least "
            f"{BUSY:.0f} {unit} a week lately."
        )
    forms = {"recent": LINES, "forecast": LINES, "change": "{:+.0%}", "low_80": LINES, "high_80": LINES}
    return Table(
        f"Largest rises and falls of the next {SOON} weeks",
        moves,
        forms,
        note=f"{unit.capitalize()} a week, of {PLURAL[main]} of at least {BUSY:.0f}. recent: mean of the last "
        f"{SOON} weeks; low_80 to high_80 should hold four weeks in five.",
    )


def _rules(demand: Demand, results: Results, reorder: pl.DataFrame) -> str:
    """What orders go by, of each level where that needs a word."""
    said = {level: ordered_by(demand, results, reorder, level) for level in results}
    return " ".join(f"{PLURAL[level].capitalize()}: {words}" for level, words in said.items() if words)


def _sold(demand: Demand) -> str:
    """What is counted: pieces, where the log states quantities, else its events that are sales."""
    unit = demand.weeks.words.unit
    if unit == "pieces":
        return "pieces sold"
    if not demand.lines:
        return f"{unit} (one piece each, as the log states no quantities)"
    return (
        f'{unit} (each line of a sale as one piece, as data.columns.quantity is "-": where the log states quantities, '
        "more pieces are sold than are forecast and ordered here; --config.data.columns.quantity=COLUMN and a new "
        "training in a new folder (--workdir) count them)"
    )


def _places(demand: Demand) -> str:
    """Where items count that are of several categories, and categories of several departments."""
    words = f" {demand.grouped}" if demand.grouped else ""
    if demand.weeks.moved:
        words += (
            " So that sums add up, each category counts whole in the department that most of its "
            f"{demand.weeks.words.unit} are of; {demand.weeks.moved:.1%} of all are of another."
        )
    return words


def returned(weeks: Weeks) -> str:
    """What came back, and off which weeks it is taken; empty where nothing did."""
    trailing = ""
    if weeks.later:
        trailing = (
            f" {weeks.later:,.0f} {weeks.words.unit} that came back after the log's last event of another type are not "
            "taken off: its weeks end there."
        )
    if not weeks.returned:
        return trailing
    count, net = weeks.count[weeks.levels[0]], weeks.net[weeks.levels[0]]
    never = count.sum() - net.sum()  # what is still to be taken off when the log ends
    later = -np.minimum(net, 0).sum() - never
    words = f" Less what came back: {weeks.returned:,.0f} {weeks.words.unit}"
    if later + never < 0.5:
        return f"{words}, taken off the weeks of the returns.{trailing}"
    return (
        f"{words}; {weeks.returned - later - never:,.0f} of them are taken off the weeks of the returns, "
        f"{later:,.0f} off later weeks, as more of an item came back than was sold, and {never:,.0f} off none, as too "
        f"little of the item was sold until the log's end.{trailing}"
    )


def around(weeks: Weeks) -> str:
    """What was sold and came back on days that belong to no week that is counted; empty where nothing was."""
    pieces = zip(weeks.around, ("sold", "that came back"), strict=True)
    counted = " and ".join(f"{amount:,.0f} {weeks.words.unit} {how}" for amount, how in pieces if amount)
    days = f"before {weeks.date(0)} or from {weeks.date(weeks.number)} on"
    return f" Not counted are {counted} {days}: these days are in none of its {weeks.number} weeks." if counted else ""


def changes(table: pl.DataFrame, level: str) -> pl.DataFrame:
    """Busy series by how far the next `SOON` weeks are above the last, largest rise first; means of a week."""
    means = (
        table.filter(pl.col("level") == level, pl.col("weeks_ahead") <= SOON)
        .group_by("name")
        .agg(pl.col("recent", "forecast", "low_80", "high_80").mean())
        .filter(pl.col("recent") >= BUSY)
    )
    change = means.with_columns(change=pl.col("forecast") / pl.col("recent") - 1)
    columns = ("name", "recent", "forecast", "change", "low_80", "high_80")
    return change.select(columns).sort("change", "name", descending=[True, False])


def _named(rows: pl.DataFrame, column: str, form: str) -> str:
    some = rows.head(NAMED).select("name", column).iter_rows()
    return ", ".join(f"{name} ({form.format(value)})" for name, value in some) or "none"
