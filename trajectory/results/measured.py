"""What evaluations, comparisons, sweeps and searches give back: metrics as tables, with charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from trajectory.results.result import Result
from trajectory.schema import UserError

if TYPE_CHECKING:
    import altair as alt

SE = "_standard_error"
_MEASURED = {
    "part": "validation or test",
    "method": "model (of several as one: ensemble, and each by its folder), or a baseline's name",
    "metric": "at a cutoff, hr@10 (a target is among the first 10), recall@10, ndcg@10 and mrr@10, of baskets also of "
    "what the user has had (_repeat) and has not (_explore), and of items that training lacks (_cold); log_loss of the "
    "next step's items, nats; interest_accuracy; catalogue_coverage@10, the share of items that are in a list; "
    "conversion_auc, _accuracy, _log_loss and _calibration_error (expected, 15 bins), the last two on test also of the "
    "probabilities that validation calibrated (_calibrated)",
    "value": "mean over users",
    "standard_error": "over users (bootstrap); null where it was not resampled",
    "low": "lower end of the 95 % bootstrap interval of the value, over users",
    "high": "upper end",
}


class _Measured(Result):
    TYPES: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("part", "method", "run", "metric"), pl.String),
        "calibrated": pl.Boolean,
        "step": pl.Int64,
    }

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]], notes: Sequence[str] = (), markdown: str = "") -> Self:
        """Of rows in the order of the columns."""
        types = {name: cls.TYPES.get(name, pl.Float64) for name in cls.COLUMNS}
        return cls(pl.DataFrame(list(rows), schema=types, orient="row"), notes=tuple(notes), markdown=markdown)

    def plot(self, metric: str = "ndcg@10", part: str = "test") -> alt.LayerChart:
        """Each method at one metric, best first, with two standard errors to both sides."""
        from trajectory.reports import charts

        rows = self._chosen(metric, part)
        name = "run" if "run" in rows.columns else "method"
        ordered = rows.sort("value", descending="loss" not in metric)
        return charts.intervals(ordered, name, "value", "standard_error", f"{metric} on {part}", metric)

    def _chosen(self, metric: str, part: str) -> pl.DataFrame:
        rows = self.frame.filter(pl.col("metric") == metric, pl.col("part") == part)
        if rows.is_empty():
            names = ", ".join(self.frame["metric"].unique().sort())
            raise UserError(f"metric {metric} was not measured on {part}; there are {names}")
        return rows


class Evaluation(_Measured):
    """How well a run ranks what came, compared with baselines. `notes` is the protocol.

    Where the split holds out several steps of a user, they are one set of targets, which is easier to hit than the next
    step alone; `notes` says which it is.
    """

    COLUMNS: ClassVar = _MEASURED


class StepEvaluation(_Measured):
    """How well runs forecast each of several steps, compared with baselines. `notes` is the protocol."""

    COLUMNS: ClassVar = {
        "run": "its folder",
        "part": "validation or test",
        "method": "direct or sampled forecasts, or a baseline's name; of times typical_gap and own_gap, log-normal "
        "waits by the median time between steps of all users and of the user",
        "calibrated": "of forecasts: fitted to outcomes of validation users; null of baselines",
        "metric": "hr@5, recall@10, ndcg@10 and log_loss (nats) of the step; within_recall@10 and others, of the "
        "items of all steps up to it; of when the step comes, time_mean_error_days and time_median_error_days of the "
        "median forecast, time_log_loss (nats) and time_coverage_80 of the 80 % interval; on test, set_coverage_90 and "
        "set_size_90 of sets that hold the step with 90 %, and calibration_error_top, _items, _interests, _within and "
        "_interests_within (expected calibration error) of the most likely item, of each item and interest at the "
        "step, and of coming within the steps up to it",
        "step": "1 = next",
        "value": "mean over users",
        "standard_error": "over users (bootstrap); null where it was not resampled",
    }

    TABLES: ClassVar = {
        "sequences": (
            "of timed forecasts on test: run, method (history_again: the last steps of the user come again), "
            "calibrated, otd and otd_standard_error (optimal transport distance of the forecast items and times from "
            "what came, in mean times between steps; less is better), t_map and t_map_weighted (mean average "
            "precision of items at about their time, over items alike and by how often they come)"
        ),
    }

    def plot(self, metric: str = "ndcg@10", part: str = "test") -> alt.Chart:  # type: ignore[override]
        """Each method at one metric, over the steps; of several runs their mean."""
        from trajectory.reports import charts

        named = pl.when("calibrated").then(pl.col("method") + ", calibrated").otherwise("method")
        rows = self._chosen(metric, part).with_columns(method=named)
        rows = rows.group_by("method", "step", maintain_order=True).agg(pl.col("value").mean())
        return charts.lines(rows, "step", "value", "method", f"{metric} on {part}", unit=metric, zero=False)


class Baselines(_Measured):
    """How well counting rules rank what came."""

    COLUMNS: ClassVar = _MEASURED


class Sweep(Result):
    """The members of a sweep compared with its base: a row for each, then one for each baseline."""

    TABLES: ClassVar = {"failed": "runs that failed: run, lines (the last ones of its log)"}

    COLUMNS: ClassVar = {
        "name": "of the member or baseline",
        "row": "base, member or baseline",
        "seeds": "finished runs",
        "validation": "metric that chose the checkpoints, mean over seeds",
        "validation_sd": "standard deviation over seeds; null for one",
        "best_epoch": "of each seed",
        "steps_to_base": "steps until as good on validation as the base of the same seed at its best",
        "seconds_per_epoch": "mean over seeds",
        "<metric>": "on test, mean over seeds; this and the following for each metric",
        "<metric>_sd": "standard deviation over seeds; null for one",
        "<metric>_standard_error": "standard error over users, mean over seeds",
        "<metric>_difference": "to the base, over users",
        "<metric>_low": "of its 95 % interval (bootstrap)",
        "<metric>_high": "of its 95 % interval (bootstrap)",
        "<metric>_p_value": "of the paired permutation test",
        "<metric>_p_value_holm": "the same, adjusted for all members",
    }

    def plot(self, metric: str = "ndcg@10") -> alt.LayerChart:
        """Each member and baseline at one metric on test, best first, with two standard errors over users."""
        from trajectory.reports import charts

        measured = [name.removesuffix(SE) for name in self.frame.columns if name.endswith(SE)]
        if metric not in measured:
            raise UserError(f"metric {metric} was not measured; there are {', '.join(measured)}")
        rows = self.frame.drop_nulls(metric).sort(metric, descending="loss" not in metric)
        return charts.intervals(rows, "name", metric, f"{metric}{SE}", f"{metric} on test", metric)


@dataclass(frozen=True, repr=False, eq=False)
class Search(Result):
    """The trials of a search, best on validation first.

    `best`: the folder of the best one's run, which was evaluated on test; None where no trial is complete.
    """

    TABLES: ClassVar = {"failed": "runs that failed: run, lines (the last ones of its log)"}

    COLUMNS: ClassVar = {
        "trial": "number",
        "state": "complete, pruned or failed",
        "<metric>": "that chose, on validation; of a pruned trial the best it had",
        "epochs": "that it trained",
        "<name>": "a value for each name that was suggested",
        "folder": "of the run",
    }

    best: Path | None = field(default=None, kw_only=True)

    def plot(self) -> alt.Chart:
        """The metric on validation of each trial that has one."""
        from trajectory.reports import charts

        metric = self.frame.columns[2]
        rows = self.frame.drop_nulls(metric).with_columns(name=pl.format("trial {}", "trial"))
        return charts.bars(rows, "name", metric, f"{metric} on validation")


class Comparison(_Measured):
    """Several runs that were evaluated on the same data and split."""

    COLUMNS: ClassVar = {
        "part": "test",
        "run": "its folder",
        **{name: meaning for name, meaning in _MEASURED.items() if name not in ("part", "method", "low", "high")},
        "difference": "to the first run, paired over users; null for the first run",
        "low": "lower end of the 95 % bootstrap interval of the difference over users",
        "high": "upper end",
        "p_value": "of that difference (permutation of signs), not adjusted; null for the first run",
    }
