"""What groups of customers are expected to spend together, with a range of the sum.

Customers' errors are not independent: a good season lifts all of them. So the range has two parts: what customers
differ by one by one, and how far the level of all was off from earlier moments on, which does not average out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import polars as pl
from scipy import stats

from trajectory.data.store.sales import has_values
from trajectory.data.times import DAY
from trajectory.schema import Histories, UserError

if TYPE_CHECKING:
    from trajectory.insights.customers.forecast import CustomerForecast
    from trajectory.run import Run

LEVEL = 0.8  # of the range
BINS = 10  # of customers by forecast, in which errors are in proportion to it
FEWEST = 20  # customers of a group whose range is checked
MONEY = {
    "customers": pl.Int64,
    "spend_expected": pl.Float64,
    "spend_low": pl.Float64,
    "spend_high": pl.Float64,
}
SUMS = {"spend_expected": "spend to come", "spend_low": "low", "spend_high": "high"}  # as the page names them


class Past(NamedTuple):
    """n customers from one earlier moment on."""

    moment: int  # unix seconds
    forecast: np.ndarray  # float64 [n], spend that would have been expected
    came: np.ndarray  # float64 [n]
    group: np.ndarray  # int64 [n], of customers who are alike; 0: in none

    @property
    def off(self) -> float:
        """Log of what all spent over what was expected of them."""
        return float(np.log(max(self.came.sum(), 1e-9) / max(self.forecast.sum(), 1e-9)))


class SumErrors(NamedTuple):
    """How far sums of forecasts are off."""

    level: float  # standard deviation of the level's log
    freedom: float  # moments that tell it, as if none overlapped
    edges: np.ndarray  # float64 [BINS - 1], of forecasts
    share: np.ndarray  # float64 [BINS], squared errors of customers over their squared forecasts

    @classmethod
    def of(cls, past: Sequence[Past], overlap: float) -> Self:
        """From one moment or more, of whose days a share `overlap` lies within those of the next, too."""
        forecast = np.concatenate([each.forecast for each in past])
        error = np.concatenate([each.came - each.forecast * np.exp(each.off) for each in past])
        edges = np.quantile(forecast, np.arange(1, BINS) / BINS)
        number = np.searchsorted(edges, forecast)
        squares, of = (np.bincount(number, each**2, BINS) for each in (error, forecast))
        level = float(np.sqrt(np.mean([each.off**2 for each in past])))
        return cls(level, max(len(past) * (1 - overlap), 1.0), edges, squares / np.maximum(of, 1e-18))

    def range(self, forecast: np.ndarray) -> tuple[float, float]:
        """LEVEL interval of the sum of customers' forecasts [n]; Student's t, as few moments tell the level."""
        total = float(forecast.sum())
        alone = float((self.share[np.searchsorted(self.edges, forecast)] * forecast**2).sum())
        wide = float(stats.t.ppf((1 + LEVEL) / 2, self.freedom)) * np.hypot(np.sqrt(alone), self.level * total)
        return max(total - wide, 0.0), total + wide


def check(past: Sequence[Past], days: int, overlap: float) -> dict[str, Any]:
    """How often sums of earlier moments' groups lay within the range that moments beside theirs, without a day of
    theirs, give: share inside, sums, moments.
    """
    inside, moments = [], 0
    for each in past:
        others = [one for one in past if abs(one.moment - each.moment) >= days * DAY]
        if not others:
            continue
        errors, moments = SumErrors.of(others, overlap), moments + 1
        for group in np.unique(each.group[each.group > 0]):
            rows = each.group == group
            if rows.sum() >= FEWEST:
                low, high = errors.range(each.forecast[rows])
                inside.append(low <= each.came[rows].sum() <= high)
    return {"inside": float(np.mean(inside)) if inside else float("nan"), "sums": len(inside), "moments": moments}


class Money(NamedTuple):
    """What customers are expected to spend, for sums over groups; or why that is not known."""

    forecast: CustomerForecast | None
    user: pl.Series  # [N], ids of the log's users
    row: np.ndarray  # int64 [N], row of the forecast of each user of the log; -1: no customer
    why: str = ""

    @classmethod
    def of(cls, run: Run) -> Self:
        """Of a run's customers."""
        histories: Histories = run.experiment.histories
        user, row = histories.users["user"], np.full(histories.num_users, -1)
        if not has_values(histories):
            return cls(None, user, row, "the log has no values of sales")
        try:
            found = run.customer_forecast
        except UserError as error:
            return cls(None, user, row, str(error))
        row[found.now.user] = np.arange(len(found.now.user))
        return cls(found, user, row)

    def rows(self, user: pl.Series) -> np.ndarray:
        """Rows of users of these ids, int64 [n]."""
        place = pl.DataFrame({"user": self.user, "row": np.arange(len(self.user))})
        return pl.DataFrame({"user": user}).join(place, on="user", maintain_order="left")["row"].to_numpy()

    def sums(self, groups: Sequence[np.ndarray]) -> pl.DataFrame:
        """Columns MONEY, a row for each group of users (int64, each at most once): how many are customers, what they
        are expected to spend together in the coming days, and its range; null where that is not known.
        """
        return pl.DataFrame([self._sum(users) for users in groups], schema=MONEY, orient="row")

    def said(self, users: np.ndarray) -> str:
        """What a group of users is expected to spend, as a sentence after another; "" where not known."""
        _, total, low, high = self._sum(users)
        if self.forecast is None or total is None:
            return ""
        return (
            f" They are expected to spend {total:,.0f} in the next {self.forecast.days} days ({LEVEL:.0%} range of the "
            f"sum: {low:,.0f} to {high:,.0f})."
        )

    def _sum(self, users: np.ndarray) -> tuple[int | None, float | None, float | None, float | None]:
        if self.forecast is None:
            return None, None, None, None
        row = self.row[users]
        spend = self.forecast.spend[row[row >= 0]]
        if not len(spend):
            return 0, None, None, None
        return len(spend), float(spend.sum()), *self.forecast.sums.range(spend)

    @property
    def note(self) -> str:
        """What a reader of such sums must know."""
        if self.forecast is None:
            return f"What members will spend is not known: {self.why.rstrip('.')}."
        held = self.forecast.measured["sums"]
        checked = (
            f"{held['inside']:.0%} of {held['sums']:,} sums of groups of customers from {held['moments']} earlier "
            "moments lay within such ranges"
            if held["sums"]
            else "earlier moments are too few to check such ranges"
        )
        return (
            f"To come: what members with an order so far are expected to spend on all goods in the next "
            f"{self.forecast.days} days; low to high is the {LEVEL:.0%} range of the sum, with the error of the level "
            f"of all customers ({held['level']:.0%}) in it; {checked}."
        )
