"""What was sold in the last weeks beside the weeks before and, where the log has them, the same weeks a year before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array
from scipy.special import ndtr
from scipy.stats import false_discovery_control

from trajectory.data.store.sales import has_values, selling_event_types
from trajectory.data.times import DAY
from trajectory.explain.explain import titles
from trajectory.insights.sale_lines import SaleLines, sale_lines
from trajectory.schema import Histories, UserError

DAYS = 28
YEAR = 364  # days: the same weekdays
RESAMPLES = 1000  # of customers
FEWEST = 30  # customers in one of the windows of what is compared
FALSE = 0.05  # of the changes that are told, those that are chance at most
_AT_ONCE = 50  # resamples


@dataclass(frozen=True)
class Changes:
    """`totals`: measure, before, after, change, low, high, year_before, of the whole shop; `goods`: level, name and the
    same with q_value, of each interest and item with enough customers.
    """

    totals: pl.DataFrame
    goods: pl.DataFrame
    begins: int  # unix seconds of the last window; it ends with the log's last day
    sells: bool  # else what is counted are events of any type


def changes(histories: Histories) -> Changes:
    """Counts of the DAYS before the log's end and of the DAYS before these; q_value over all that are compared.

    Raises UserError for a log without times, or shorter than both windows.
    """
    if not histories.has_time:
        raise UserError("what changed needs times, and this log has none: leave this part out")
    end = -(-histories.now // DAY) * DAY
    first = int(histories.time.min())
    if first > end - 2 * DAYS * DAY:
        raise UserError(f"what changed compares {DAYS} days with the {DAYS} before, and this log is shorter")
    sells = bool(selling_event_types(histories))
    lines = sale_lines(histories)
    begins = {"before": end - 2 * DAYS * DAY, "after": end - DAYS * DAY}
    if first <= end - (YEAR + DAYS) * DAY:
        begins["year_before"] = end - (YEAR + DAYS) * DAY
    inside = {name: (lines.time >= begin) & (lines.time < begin + DAYS * DAY) for name, begin in begins.items()}
    return Changes(_totals(histories, lines, inside, sells), _goods(histories, lines, inside), begins["after"], sells)


def _totals(histories: Histories, lines: SaleLines, inside: dict[str, np.ndarray], sells: bool) -> pl.DataFrame:
    users = histories.num_users + 1
    measures = ["customers", "orders" if sells else "events"]
    measures += ["pieces"] * bool(sells and np.isfinite(histories.quantity).any())
    measures += ["sales value"] * bool(sells and has_values(histories))
    rows = []
    for measure in measures:
        sums = {window: _by_user(measure, lines, some, users) for window, some in inside.items()}
        total = {window: float(values.sum()) for window, values in sums.items()}
        low, high = _interval(sums["before"], sums["after"])
        change = total["after"] / total["before"] - 1 if total["before"] > 0 else None
        of = {"measure": measure, "before": total["before"], "after": total["after"], "change": change}
        rows.append(of | {"low": low, "high": high, "year_before": total.get("year_before")})
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(("change", "low", "high", "year_before"), pl.Float64))


def _by_user(measure: str, lines: SaleLines, some: np.ndarray, users: int) -> np.ndarray:
    """How much of a measure each customer brings in a window, float64 [users]."""
    sold = some & (lines.pieces > 0)
    if measure == "customers":
        return (np.bincount(lines.user[sold], minlength=users) > 0).astype(np.float64)
    if measure in ("orders", "events"):
        one = np.unique(lines.order[sold], return_index=True)[1] if measure == "orders" else slice(None)
        return np.bincount(lines.user[sold][one], minlength=users).astype(np.float64)
    return np.bincount(lines.user[some], (lines.pieces if measure == "pieces" else lines.value)[some], users)


def _interval(before: np.ndarray, after: np.ndarray) -> tuple[float | None, float | None]:
    """95 % interval of the relative change of the sums, customers drawn anew; None where there was nothing before."""
    if before.sum() <= 0:
        return None, None
    rng, users, both = np.random.default_rng(0), len(before), np.stack([before, after], 1)
    drawn = np.concatenate(
        [rng.multinomial(users, np.full(users, 1 / users), size=_AT_ONCE) @ both for _ in range(RESAMPLES // _AT_ONCE)]
    )
    low, high = np.quantile(drawn[:, 1] / np.maximum(drawn[:, 0], 1e-12) - 1, (0.025, 0.975))
    return float(low), float(high)


def _goods(histories: Histories, lines: SaleLines, inside: dict[str, np.ndarray]) -> pl.DataFrame:
    names = histories.items.select(titles(histories.items)).to_series().to_list()
    parts = [_compared("item", names, lines.item, lines, inside)]
    if histories.interests:
        interest = np.append(histories.item_interest, 0)[lines.item].astype(np.int64)
        parts.insert(0, _compared("interest", list(histories.interests), interest, lines, inside))
    table = pl.concat(parts)
    q_value = false_discovery_control(table["p_value"].to_numpy()) if table.height else np.zeros(0)
    return table.with_columns(q_value=q_value).drop("p_value")


def _compared(
    level: str, names: list[str], code: np.ndarray, lines: SaleLines, inside: dict[str, np.ndarray]
) -> pl.DataFrame:
    """Pieces (events, without sales) of each name in the windows; low, high and p_value: normal, over customers."""
    shape = (int(lines.user.max(initial=0)) + 1, max(len(names), int(code.max(initial=0))) + 1)
    of = {w: csr_array((lines.pieces[some], (lines.user[some], code[some])), shape) for w, some in inside.items()}
    total = {window: _sums(pieces) for window, pieces in of.items()}
    customers = np.maximum(*(_sums(of[window] > 0) for window in ("before", "after")))
    at = np.arange(shape[1])
    kept = np.flatnonzero((at > 0) & (at <= len(names)) & (customers >= FEWEST) & (total["before"] > 0))
    ratio = total["after"][kept] / total["before"][kept]
    # The error of the ratio of two sums (delta method): of what each customer adds beyond the ratio of all.
    square = {window: _sums(of[window].multiply(of[window]))[kept] for window in ("before", "after")}
    both = _sums(of["after"].multiply(of["before"]))[kept]
    variance = np.maximum(square["after"] - 2 * ratio * both + ratio**2 * square["before"], 1e-12)
    error = np.sqrt(variance) / total["before"][kept]
    columns = {
        "level": [level] * len(kept),
        "name": [str(names[one - 1]) for one in kept],
        "before": total["before"][kept],
        "after": total["after"][kept],
        "change": ratio - 1,
        "low": np.maximum(ratio - 1.96 * error, 0) - 1,
        "high": ratio + 1.96 * error - 1,
        "year_before": total["year_before"][kept] if "year_before" in total else [None] * len(kept),
        "p_value": np.clip(2 * ndtr(-np.abs(ratio - 1) / error), 1e-300, 1),
    }
    return pl.DataFrame(columns, schema_overrides={"level": pl.String, "name": pl.String, "year_before": pl.Float64})


def _sums(matrix: csr_array) -> np.ndarray:
    return np.asarray(matrix.sum(0)).ravel().astype(np.float64)
