"""What matters of demand, in a merchant's words: what rises and falls, what to order, how far that held."""

from __future__ import annotations

import polars as pl

from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.evaluate import OURS, Results
from trajectory.insights.demand.evaluation_page import mean_errors, ordered_by, weeks_long
from trajectory.insights.demand.page import LINES, out_of_season
from trajectory.insights.demand.reorder import COVER, SERVICE_LEVEL
from trajectory.insights.demand.season import SOON
from trajectory.insights.demand.tables import changes, rule_of
from trajectory.insights.demand.weekly_counts import PLURAL
from trajectory.insights.report_model import Statement

TOLD = 0.005  # changes that are printed as more than 0%
USELESS = 1.0  # error as a share of demand from which on nothing is advised: forecasting none is as near
NAMED = 3


def sentences(demand: Demand, tables: dict[str, pl.DataFrame], results: Results) -> tuple[Statement, ...]:
    """What matters, most important first."""
    main = demand.weeks.main
    change = changes(tables["demand"], main)
    rule, over = rule_of(tables["reorder"], main), tables["reorder"].filter("season_over", level=main)["name"]
    # Of a forecast that orders do not go by, nothing is said to be expected; what is out of season is told apart.
    moving = change.filter(pl.lit(rule == OURS), ~pl.col("name").is_in(over.implode()))
    risen = moving.filter(pl.col("change") > TOLD, pl.col("recent") < pl.col("low_80"))
    fallen = moving.filter(pl.col("change") < -TOLD, pl.col("recent") > pl.col("high_80")).reverse()
    ordered = "item" if "item" in results else main  # nobody can order a category, whose items stand in for each other
    wanted = tables["reorder"].filter(pl.col("level") == ordered, pl.col("order_quantity") >= 0.5)
    order = wanted.filter(~pl.col("season_over")).sort("order_up_to", "name", descending=[True, False]).head(NAMED)
    if (error := mean_errors(results[main])[0][rule]) >= USELESS:
        tested = weeks_long(len(demand.tested))
        off = f"{error:.0%} of the demand of {PLURAL[main]}"
        words = f"Do not order by this: in the last {tested} of this log it was off by {off}."
        return (Statement(words, "sure", "reorder"),)
    said = [Statement(by, "sure")] if (by := ordered_by(demand, results, tables["reorder"], main)) else []
    if demand.held_out is None:
        said.append(Statement(f"How far these forecasts of demand hold is not known, as {demand.unseen}.", "sure"))
    if len(risen):
        words = f"Over the next {SOON} weeks expect more of {_named(risen, 'change', '{:+.0%}')} than in the last."
        said.append(Statement(words, "watch", "demand"))
    if len(fallen):
        words = f"Expect less of {_named(fallen, 'change', '{:+.0%}')}: order less."
        said.append(Statement(words, "do", "demand"))
    lasts = f"so that stock lasts {COVER} weeks with {SERVICE_LEVEL:.0%} certainty"
    if len(order):
        largest = _named(order, "order_up_to", f"{LINES} {demand.weeks.words.unit}")
        but = " These are lines of sales, not pieces." if demand.lines else ""
        but += _of_items(results, tables["reorder"], ordered, main)
        words = f"Have in stock and on order, {lasts}: {largest}; order what you lack.{but}"
        said.append(Statement(words, "do", "reorder"))
    elif not len(wanted):
        said.append(Statement(f"Nothing is to be ordered now {lasts}.", "do", "reorder"))
    ended = out_of_season(tables["reorder"], ordered, main, demand.weeks.words.unit)
    said += [Statement(words, "watch", "reorder") for words in ended]
    if demand.held_out is None:
        return tuple(said)
    wape, last = mean_errors(results[main])
    ahead = "1 week" if last == 1 else f"1 to {last} weeks"
    stock = {row["method"]: row for row in results[ordered]["ordering"].to_dicts()}
    ours, other = stock[OURS], stock["moving average"]
    off = (
        f"In {weeks_long(len(demand.tested))} held out the forecast was off by {wape[OURS]:.1%} of the demand of "
        f"{PLURAL[main]} at {ahead} ahead, a moving average by {wape['moving average']:.1%}, last week's figure by "
        f"{wape['last week']:.1%}."
    )
    stocked = (
        f"Ordering {PLURAL[ordered]} by it would have lost {ours['demand_lost']:.2%} of demand with "
        f"{ours['stock_left_weeks']:.2f} weeks' stock left over; by a moving average {other['demand_lost']:.2%} with "
        f"{other['stock_left_weeks']:.2f}."
    )
    return (*said, Statement(off, "sure"), Statement(stocked, "sure"))


def _of_items(results: Results, reorder: pl.DataFrame, ordered: str, main: str) -> str:
    """How far off orders of single items are, where the error that is told is of a level above."""
    if ordered == main:
        return ""
    rule = rule_of(reorder, ordered)
    error = mean_errors(results[ordered])[0][rule]
    return f" Of single {PLURAL[ordered]} what orders go by was off by {error:.1%}."


def _named(rows: pl.DataFrame, column: str, form: str) -> str:
    some = rows.head(NAMED).select("name", column).iter_rows()
    return ", ".join(f"{name} ({form.format(value)})" for name, value in some) or "none"
