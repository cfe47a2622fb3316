"""Orders and spend of each customer in the days to come, and the chance of none: the method that earlier days favour.

Nothing but the log's orders is used, so that windows before its end are held out: a method is fitted on one, chosen on
the next, tested on the last.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from trajectory.data.store.sales import has_values, require_sales
from trajectory.data.times import DAY
from trajectory.insights.customers.lifetime import BgNbd, Habits, fit_orders, fit_value
from trajectory.insights.customers.next_order import NextOrders, next_orders, waiting
from trajectory.insights.customers.sums import Past, SumErrors, check
from trajectory.insights.sale_lines import SaleLines
from trajectory.metrics.auc import auc
from trajectory.metrics.significance import bootstrap
from trajectory.schema import Histories, UserError

LONGEST = 90  # days ahead
EARLIER = 8  # moments that tell how far sums are off, at most, half of the days apart
OVERLAP = 0.5  # of the days of one moment with those of the next
WINDOWS = 4  # of these the log must hold: one to learn from, one to choose by, one to test, and one before them
FEWEST = 50  # customers at each moment
OWN, RFM, BG_NBD, BOOSTING = "the customer's own rate", "RFM", "BG/NBD and Gamma-Gamma", "gradient boosting"
TARGETS = ("orders", "spend", "none")
LEVEL = 0.8  # of intervals
BINS = 10
RESAMPLES = 500


class Snapshot(NamedTuple):
    """n customers with an order before a moment, and what came in the days after it (NaN where that is not over)."""

    moment: int
    user: np.ndarray  # int64 [n], row of the user
    habits: Habits
    mean: np.ndarray  # float64 [n], value of an order
    spend: np.ndarray  # float64 [n], so far
    features: np.ndarray  # float64 [n, F]
    orders: np.ndarray  # float64 [n], in the days after the moment
    brought: np.ndarray  # float64 [n], likewise

    @property
    def none(self) -> np.ndarray:
        """Whether no order came, float64 [n]."""
        return (self.orders == 0).astype(np.float64)


class CustomerForecast(NamedTuple):
    """The forecast as of the log's end."""

    now: Snapshot
    days: int
    orders: np.ndarray  # float64 [n], expected
    spend: np.ndarray
    low: np.ndarray  # of spend, LEVEL interval
    high: np.ndarray
    none: np.ndarray  # chance of no order
    inactive: np.ndarray  # chance of having left, by BG/NBD; NaN where that says nothing: of one order, or not fitted
    next: NextOrders
    sums: SumErrors  # of spend
    by: dict[str, str]  # target -> the method that validation chose
    measured: dict[str, Any]


def customers(histories: Histories, lines: SaleLines) -> CustomerForecast:
    """The forecast from the `lines` of the log's sales. Raises UserError for a log without sales, or where orders are
    too few, or cover too few days.
    """
    require_sales(histories, "customers need sales")
    orders, end = order_table(histories, lines), histories.now
    span = (end - int(histories.time.min())) / DAY
    days = int(min(LONGEST, span // WINDOWS))
    if not histories.has_time or days < 7:
        raise UserError(f"customers need orders with times over {7 * WINDOWS} days or more, and this log has fewer")
    moments = [end - back * days * DAY for back in (3, 2, 1, 0)]
    learned, chosen_by, tested, now = (snapshot(orders, moment, days, end) for moment in moments)
    if min(len(each.user) for each in (learned, chosen_by, tested)) < FEWEST:
        raise UserError(f"customers need {FEWEST} customers with an order {3 * days} days before the log's end")
    pairs = ((learned, chosen_by), (chosen_by, tested), (tested, now))
    models = [fit_orders(asked.habits) for _, asked in pairs]
    validated, held, last = (_forecasts(*pair, model, days) for pair, model in zip(pairs, models, strict=True))
    by = {target: _best(target, validated[target], chosen_by) for target in TARGETS}
    ratios = _ratios(validated["spend"][by["spend"]], chosen_by.brought)
    bounds = _bounds(held["spend"][by["spend"]], *ratios)
    facts = {"from": tested.moment, "days": days, "customers": len(tested.user)}
    measured = _measured(held, tested, bounds, by) | facts
    expected = {target: last[target][by[target]] for target in TARGETS}
    low, high = _bounds(expected["spend"], *_ratios(held["spend"][by["spend"]], tested.brought))
    # Methods differ: of who comes with some chance, no fewer orders are expected than that, each as so far.
    comes = 1 - expected["none"]
    expected["orders"] = np.maximum(expected["orders"], comes)
    expected["spend"] = np.maximum(expected["spend"], comes * now.spend / (now.habits.again + 1))
    high = np.maximum(high, expected["spend"])
    at = (learned, chosen_by, tested, now)
    waits = [waiting(orders, s.moment, days, end, s.user, s.habits, s.features) for s in at]
    return CustomerForecast(
        now,
        days,
        expected["orders"],
        expected["spend"],
        low,
        high,
        expected["none"],
        _inactive(models[-1], now.habits),
        following := next_orders(waits, models, days),
        errors := SumErrors.of(past := _past(orders, histories, lines, days, by["spend"]), OVERLAP),
        by,
        measured | {"next_order": following.measured, "sums": {"level": errors.level} | check(past, days, OVERLAP)},
    )


def _past(orders: pl.DataFrame, histories: Histories, lines: SaleLines, days: int, method: str) -> list[Past]:
    """What `method` would have expected of each customer's spend from earlier moments on, fitted on the days before
    them, and what came.
    """
    end, found = histories.now, []
    apart = round(days * DAY * (1 - OVERLAP))
    for back in range(EARLIER):
        moment = end - round(days * DAY) - back * apart
        learned, asked = (snapshot(orders, at, days, end) for at in (moment - days * DAY, moment))
        if len(learned.user) < FEWEST:
            break  # earlier ones have fewer
        forecasts = _forecasts(learned, asked, fit_orders(asked.habits), days)["spend"]
        if method in forecasts:
            group = groups_alike(histories, lines, moment, asked.user, forecasts[method])
            found.append(Past(moment, forecasts[method], asked.brought, group))
    return found


def groups_alike(
    histories: Histories, lines: SaleLines, moment: int, user: np.ndarray, forecast: np.ndarray
) -> np.ndarray:
    """A group for each customer `user`, from 1 on: the interest of which each had bought most (0: of none); in a log
    without interests tenths by what was expected of them.
    """
    if histories.interests:
        return most_bought(histories, lines, 0, moment)[user]
    return 1 + np.searchsorted(np.quantile(forecast, np.arange(1, BINS) / BINS), forecast)


def most_bought(histories: Histories, lines: SaleLines, since: int, until: int) -> np.ndarray:
    """The interest of which each user bought most from `since` until before `until`, int64 [N]; 0: nothing of any."""
    interest = np.append(histories.item_interest, 0)[lines.item]
    some = (lines.user < histories.num_users) & (lines.time >= since) & (lines.time < until)
    some &= (lines.pieces > 0) & (interest > 0)
    width = len(histories.interests) + 1
    pieces = np.bincount(lines.user[some] * width + interest[some], lines.pieces[some], histories.num_users * width)
    return pieces.reshape(-1, width).argmax(1)


def _inactive(model: BgNbd | None, h: Habits) -> np.ndarray:
    if model is None:
        return np.full(len(h.again), np.nan)
    return np.where(h.again > 0, 1 - model.alive(h), np.nan)  # by the model nobody leaves before the second order


def order_table(histories: Histories, lines: SaleLines) -> pl.DataFrame:
    """A row for each order with a sale: user (row), time and value, what was given back taken off where it came."""
    value = lines.value if has_values(histories) else lines.pieces
    columns = {"user": lines.user, "order": lines.order, "time": lines.time, "value": value, "sold": lines.pieces > 0}
    return (
        pl.DataFrame(columns)
        .filter(pl.col("user") < histories.num_users)
        .group_by("user", "order")
        .agg(pl.col("time").min(), pl.col("value").sum(), pl.col("sold").any())
        .sort("user", "time", "order")
    )


def snapshot(orders: pl.DataFrame, moment: int, days: int, end: int) -> Snapshot:
    """The customers at a moment, from the orders before it; what came in the `days` after it, where these are over."""
    before = orders.filter(pl.col("time") < moment)
    age = (moment - pl.col("time")) / DAY
    sold = pl.col("sold")
    windows = {
        f"{name}_{span}": (value.filter(age <= span)).sum()
        for span in (28, 90, 180)
        for name, value in (("orders", sold.cast(pl.Float64)), ("value", pl.col("value")))
    }
    of = (
        before.group_by("user")
        .agg(
            count=sold.sum().cast(pl.Float64),
            spend=pl.col("value").sum(),
            first=age.filter(sold).max(),
            last=age.filter(sold).min(),
            spread=pl.col("value").filter(sold).std().fill_null(0.0),
            **windows,
        )
        .filter(pl.col("count") > 0)
        .sort("user")
    )
    after = orders.filter(pl.col("time") >= moment, pl.col("time") < moment + days * DAY)
    came = after.group_by("user").agg(came=pl.col("sold").sum().cast(pl.Float64), brought=pl.col("value").sum())
    known = of.join(came, on="user", how="left", maintain_order="left")
    known = known.with_columns(pl.col("came", "brought").fill_null(0.0))
    column = {name: known[name].to_numpy().astype(np.float64) for name in known.columns}
    over = moment + days * DAY <= end
    habits = Habits(column["count"] - 1, column["first"] - column["last"], column["first"])
    spend = np.maximum(column["spend"], 0)
    told = ("count", "spend", "first", "last", "spread", *windows)
    features = np.stack([np.log1p(np.maximum(column[name], 0)) for name in told], 1)
    unknown = np.full(known.height, np.nan)
    outcome = [np.maximum(column[name], 0) if over else unknown for name in ("came", "brought")]
    return Snapshot(moment, known["user"].to_numpy(), habits, spend / column["count"], spend, features, *outcome)


def _forecasts(learned: Snapshot, asked: Snapshot, model: BgNbd | None, days: int) -> dict[str, dict[str, np.ndarray]]:
    """Target -> method -> its forecast [n] for `asked`, fitted on what came after `learned`.

    `model`: BG/NBD of the orders so far.
    """
    rate = (asked.habits.again + 1) / np.maximum(asked.habits.age, days) * days
    found = {
        "orders": {OWN: rate},
        "spend": {OWN: rate * asked.mean},
        "none": {OWN: np.exp(-rate)},
    }
    cell = _rfm(learned, asked)
    for target, outcome in (("orders", learned.orders), ("spend", learned.brought), ("none", learned.none)):
        found[target][RFM] = cell(outcome)
    if model:
        h = asked.habits
        found["orders"][BG_NBD] = model.orders(h, days)
        waits = ((model.alpha + h.age) / (model.alpha + h.age + days)) ** (model.r + h.again)
        found["none"][BG_NBD] = 1 - model.alive(h) * (1 - waits)
        value = fit_value(h.again + 1, asked.mean)
        each = value.value(h.again + 1, asked.mean) if value else asked.mean
        found["spend"][BG_NBD] = model.orders(h, days) * each
    for target, outcome in (("orders", learned.orders), ("spend", learned.brought)):
        if outcome.sum() > 0:
            boosted = HistGradientBoostingRegressor(loss="poisson", **_BOOSTED).fit(learned.features, outcome)
            found[target][BOOSTING] = boosted.predict(asked.features)
    if 0 < learned.none.mean() < 1:
        classifier = HistGradientBoostingClassifier(**_BOOSTED).fit(learned.features, learned.none)
        found["none"][BOOSTING] = classifier.predict_proba(asked.features)[:, 1]
    return found


_BOOSTED = {"max_depth": 3, "max_iter": 80, "learning_rate": 0.06, "min_samples_leaf": 20, "random_state": 0}


def _rfm(learned: Snapshot, asked: Snapshot) -> Any:
    """Means of an outcome by thirds of recency, frequency and monetary value, of all where a cell is empty."""
    measures = [lambda s: s.habits.age - s.habits.recency, lambda s: s.habits.again, lambda s: s.spend]
    code = np.zeros((2, max(len(learned.user), len(asked.user))), np.int64)
    for of in measures:
        edges = np.quantile(of(learned), (1 / 3, 2 / 3))
        for row, each in enumerate((learned, asked)):
            code[row, : len(each.user)] = code[row, : len(each.user)] * 3 + np.searchsorted(edges, of(each))
    own, other = code[0, : len(learned.user)], code[1, : len(asked.user)]

    def mean(outcome: np.ndarray) -> np.ndarray:
        total, count = np.bincount(own, outcome, 27), np.bincount(own, minlength=27)
        return ((total + outcome.mean()) / (count + 1))[other]

    return mean


def _best(target: str, forecasts: dict[str, np.ndarray], outcome: Snapshot) -> str:
    return min(forecasts, key=lambda name: _loss(target, forecasts[name], outcome))


def _loss(target: str, forecast: np.ndarray, outcome: Snapshot) -> float:
    if target == "none":
        chance = np.clip(forecast, 1e-6, 1 - 1e-6)
        return -float(np.where(outcome.none > 0, np.log(chance), np.log1p(-chance)).mean())
    return float(np.abs(forecast - (outcome.orders if target == "orders" else outcome.brought)).mean())


def _ratios(forecast: np.ndarray, came: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of BINS of forecasts, and the low and high quantile of what came over what was forecast in each."""
    edges = np.quantile(forecast, np.arange(1, BINS) / BINS)
    number = np.searchsorted(edges, forecast)
    ratio = came / np.maximum(forecast, 1e-9)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    cells = [ratio[number == i] if (number == i).any() else ratio for i in range(BINS)]
    ends = np.array([np.quantile(cell, tails) for cell in cells])
    return edges, ends[:, 0], ends[:, 1]


def _bounds(
    forecast: np.ndarray, edges: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    number = np.searchsorted(edges, forecast)
    return forecast * low[number], forecast * high[number]


def _measured(
    held: dict[str, dict[str, np.ndarray]], tested: Snapshot, bounds: tuple[np.ndarray, np.ndarray], by: dict[str, str]
) -> dict[str, Any]:
    """Of each method on the test window: mean absolute error of orders and spend (and how much more than the chosen
    one's, with its interval), error of the total, AUC and log loss of no order; share of spend within the interval.
    """
    came = {"orders": tested.orders, "spend": tested.brought}
    rows: dict[str, dict[str, Any]] = {}
    for target, outcome in came.items():
        ours = np.abs(held[target][by[target]] - outcome)
        for name, forecast in held[target].items():
            error = np.abs(forecast - outcome)
            more = bootstrap(error - ours, RESAMPLES, seed=0)
            rows.setdefault(name, {})[target] = {
                "error": float(error.mean()),
                "more": [float((error - ours).mean()), float(more.low), float(more.high)],
                "total": float(forecast.sum() / max(outcome.sum(), 1e-9) - 1),
            }
    for name, chance in held["none"].items():
        some = 0 < tested.none.mean() < 1
        area = float(auc(tested.none > 0, chance)[0]) if some else float("nan")
        rows[name]["none"] = {"auc": area, "log_loss": _loss("none", chance, tested)}
    low, high = bounds
    inside = (tested.brought >= low - 1e-9) & (tested.brought <= high + 1e-9)
    return {"methods": rows, "by": by, "inside": float(inside.mean()), "mean_spend": float(tested.brought.mean())}
