"""What the page shows of demand: the next weeks of the largest series, what moves and what to order."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from trajectory.insights.demand.counting_notes import around, places, returned, sold
from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.evaluate import Results
from trajectory.insights.demand.evaluation_page import ordered_by
from trajectory.insights.demand.plots import forecast_chart
from trajectory.insights.demand.reorder import COVER, LEAD, SERVICE_LEVEL
from trajectory.insights.demand.season import SOON, YEAR
from trajectory.insights.demand.tables import BUSY, changes
from trajectory.insights.demand.weekly_counts import PLURAL
from trajectory.insights.report_model import Picture, Table, Text

MOST = 10  # rows of a table
SEASONS = 3  # series that are named
SINGULAR = {"item": "item", "interest": "category", "department": "department"}
LINES = "{:,.0f}"

RUNNING = " What was sold since the running week began is taken off what that week is expected to sell."


def blocks(demand: Demand, tables: dict[str, pl.DataFrame], results: Results) -> tuple[Text | Table | Picture, ...]:
    """What is counted, the next weeks of the largest series, what moves and what to order."""
    weeks, main, unit = demand.weeks, demand.weeks.main, demand.weeks.words.unit
    sums = "".join(f"; {PLURAL[below]} add up to {PLURAL[upper]}" for below, upper in pairwise(weeks.levels))
    shown = [level for level in reversed(weeks.levels) if level != "item" or level == main]
    change = changes(tables["demand"], main)
    moves = pl.concat([change.head(MOST), change.tail(MOST).reverse()]).unique(maintain_order=True)
    year = ["a_year_before"] if weeks.number >= YEAR else []
    columns = ["level", "name", "rule", "expected_demand", *year, "safety_stock", "order_up_to", "order_quantity"]
    orders = pl.concat([tables["reorder"].filter(level=level).head(2 * MOST) for level in reversed(weeks.levels[:2])])
    return (
        Text(
            f"Demand is {sold(demand)} a week, from Monday to Sunday{sums}.{places(demand)}"
            + returned(weeks)
            + around(weeks)
        ),
        *(forecast_chart(demand, level, PLURAL[level]) for level in shown),
        _moves(moves if year else moves.drop("a_year_before"), main, unit),
        Table(
            "What to order now",
            orders.select(columns),
            dict.fromkeys(columns[3:], LINES),
            by="level",
            note=f"{_rules(demand, results, tables['reorder'])} {unit.capitalize()}. Orders go out weekly and come "
            f"{LEAD} week later: up to what lasts {COVER} weeks with {SERVICE_LEVEL:.0%} certainty, less what is in "
            "stock and on order. order_quantity takes the stock to be what would be left had this been followed so "
            "far; for your own stock take order_up_to less what you have. Order by items: what a group needs is less "
            "than its items do, as if one could be sold for another."
            f"{RUNNING if weeks.sold_since(main).any() else ''}"
            f"{' a_year_before: sold in the same weeks of the year before.' if year else ''}".lstrip(),
        ),
        *(Text(text) for text in out_of_season(tables["reorder"], "item" if "item" in results else main, main, unit)),
    )


def _moves(moves: pl.DataFrame, main: str, unit: str) -> Table | Text:
    if moves.is_empty():
        return Text(
            f"Rises and falls of the next {SOON} weeks are not listed: of no {SINGULAR[main]} with at least {BUSY:.0f} "
            f"{unit} a week lately do they leave the interval of 80 % around the forecast."
        )
    forms = {"recent": LINES, "forecast": LINES, "change": "{:+.0%}", "low_80": LINES, "high_80": LINES}
    forms |= {"a_year_before": LINES} if "a_year_before" in moves.columns else {}
    return Table(
        f"Largest rises and falls of the next {SOON} weeks",
        moves,
        forms,
        note=f"{unit.capitalize()} a week, of {PLURAL[main]} of at least {BUSY:.0f}. recent: mean of the last "
        f"{SOON} weeks, which lies outside low_80 to high_80; these are made to hold four weeks in five."
        + (" a_year_before: mean of the same weeks of the year before." if "a_year_before" in moves.columns else ""),
    )


def _rules(demand: Demand, results: Results, reorder: pl.DataFrame) -> str:
    """What orders go by, of each level where that needs a word."""
    said = {level: ordered_by(demand, results, reorder, level) for level in results}
    return " ".join(f"{PLURAL[level].capitalize()}: {words}" for level, words in said.items() if words)


def out_of_season(reorder: pl.DataFrame, ordered: str, main: str, unit: str) -> list[str]:
    """A sentence on goods whose season seems to be over, for the forecast goes on as if it were not."""
    over = reorder.filter("season_over").sort("a_year_before", descending=True)
    if over.is_empty():
        return []
    shown = over.filter(pl.col("level") == (main if (over["level"] == main).any() else ordered))
    named = ", ".join(
        f"{row['name']} ({row['a_year_before']:,.0f} {unit} in the {COVER} weeks a year before)"
        for row in shown.head(SEASONS).iter_rows(named=True)
    )
    return [
        "Their season seems to be over, as lately was a peak and far less was sold in the same weeks of the year "
        f"before: {named}; {over.filter(pl.col('level') == ordered).height:,} {PLURAL[ordered]} in all (season_over in "
        "the table of orders). They are ordered as these weeks tell; forecasts go on as lately."
    ]
