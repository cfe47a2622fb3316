"""Attributions of a run's forecasts: a row for each input of each past event, with what it adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.data.pipeline.featurize import row_length
from trajectory.evaluation.reach import NOTHING_LEFT, reach
from trajectory.explain.attribution import Attribution
from trajectory.explain.content_attribution import item_components
from trajectory.explain.methods import Method, attribution_method
from trajectory.explain.references import reference_of
from trajectory.explain.target_function import Inputs, Reference, TargetFunction
from trajectory.explain.targets import BETWEEN, Target, choose_targets, read_target
from trajectory.inference.new_users import read_histories, whole_histories
from trajectory.inference.step_forecast import forecaster_of_step
from trajectory.metrics.ranking import distinct_items
from trajectory.models.forecast_function import ForecastTarget
from trajectory.progress import progress
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

ROWS, MAX_ROWS = 64, 256  # histories of a batch; where more fit into rows of the same length, at most
EVENTS, PROBABILITIES = 2**14, 2**24  # of a batch, at most: events, and probabilities of candidates


@dataclass(frozen=True)
class ForecastBatch:
    """One forecast of each of n queries; arrays of events are [n, L], oldest first."""

    queries: Queries
    step: int  # steps ahead
    inputs: Inputs
    first: np.ndarray  # int64 [n], flat index of the event in column 0

    def events(self, histories: Histories) -> np.ndarray:
        """Flat index of each column's event, int64 [n, L]; of columns that are masked some event."""
        return np.minimum(self.first[:, None] + np.arange(self.inputs.mask.shape[1]), histories.num_events - 1)


@dataclass(frozen=True)
class AttributionBatch(ForecastBatch):
    """Forecasts with their attributions."""

    attribution: Attribution


class Explainer:
    """Explains forecasts of a run."""

    def __init__(self, run: Run, target: Target, by_field: bool = True, method: str = "") -> None:
        """`by_field`: fields of items' content are inputs of their own. `method`: the config's by default."""
        vocabulary, heads = run.vocabulary.catalogue, run.config.heads
        self.run, self.target, self.config, self.predictor = run, target, run.config, run.predictor(vocabulary)
        ranks = heads.item or (heads.interest and target.kind != "item")
        if target.kind != "conversion" and not ranks:
            raise UserError(f"target {target.kind}: no head of this run has learned it (heads.item, heads.interest)")
        item_interest = vocabulary.item_interest[: vocabulary.num_items + 1]
        content = run.item_content if by_field else None
        components = item_components(*run.content_model, content) if content else None
        self.function = TargetFunction.create(run.model, self.predictor.params, target.kind, item_interest, components)
        self.method_name = method or self.config.explain.method
        self.method = self.method_named(self.method_name)

    def method_named(self, name: str) -> Method:
        """A method of attribution by its name."""
        return attribution_method(name, self.config, self.reference, lambda: self.background)

    def reference(self, inputs: Inputs) -> Reference:
        """What these inputs are compared with, by the config's `explain.reference`."""
        return reference_of(self.config.explain.reference, inputs, lambda: self.background)

    @cached_property
    def background(self) -> Inputs:
        """Histories as they were when training ended, drawn."""
        events, newest = self.run.background
        none = np.zeros(len(newest), np.int32)
        return self.function.inputs(events, ForecastTarget(newest, none, none, none + 1))

    def attributions(
        self, histories: Histories, queries: Queries, steps: Sequence[int] = (1,)
    ) -> Iterator[AttributionBatch]:
        """Attributions of the forecasts after each query's events, in batches of queries of like length."""
        for batch in self.forecasts(histories, queries, steps):
            yield self.attributed(batch)

    def attributed(self, batch: ForecastBatch) -> AttributionBatch:
        """A batch with its attributions by the config's method."""
        return AttributionBatch(**vars(batch), attribution=self.method(self.function, batch.inputs))

    def forecasts(
        self, histories: Histories, queries: Queries, steps: Sequence[int] = (1,), index: np.ndarray | None = None
    ) -> Iterator[ForecastBatch]:
        """The forecasts that `attributions` explains; with `index` [n] of these items or interests, instead of the
        target's.

        Queries without a candidate (see `answerable`) are left out.
        """
        if index is None:
            answerable = self.answerable(histories, queries)
            queries = Queries(*(column[answerable] for column in queries))
        order = np.argsort(queries.stop - queries.start, kind="stable")
        ordered = Queries(*(column[order] for column in queries))
        count = np.minimum(ordered.stop - ordered.start, self.config.batch.length)
        begin = 0
        with progress(None, "attributions", len(order) * len(steps), " forecasts") as bar:
            while begin < len(order):
                end = begin + self._rows(count[begin:])
                chunk = Queries(*(column[begin:end] for column in ordered))
                for step in steps:
                    inputs, first = self._read(histories, chunk.start, chunk.stop, step)
                    if index is None:
                        targets = self._most_likely(histories, chunk, step, inputs.targets)
                    else:
                        targets = inputs.targets._replace(index=index[order[begin:end]])
                    if self.config.evaluation.seen == "filter" and not self._named_item(index):
                        seen = distinct_items(histories, chunk.start, chunk.stop, least=64)
                        targets = targets._replace(seen=seen)
                    inputs = inputs._replace(targets=targets)
                    yield ForecastBatch(chunk, step, inputs, first)
                    bar.update(len(chunk.user))
                begin = end

    def answerable(self, histories: Histories, queries: Queries) -> np.ndarray:
        """Whether each query has a candidate for the target, bool [n]: where seen items are filtered, the most likely
        item must be one that the user has not had.
        """
        if self.target.kind != "item" or self.target.index or self.config.evaluation.seen != "filter":
            return np.ones(len(queries.user), bool)
        return reach(histories, queries).left > 0

    def _rows(self, count: np.ndarray) -> int:
        """Rows of the next batch, of histories of `count` events each, ascending."""
        length = row_length(int(count[:ROWS].max()), self.config.batch.length)
        fit = int(np.searchsorted(count, length, side="right"))
        return max(min(EVENTS // length, PROBABILITIES // len(self.function.item_interest), fit, MAX_ROWS), 1)

    def _read(self, histories: Histories, start: np.ndarray, stop: np.ndarray, step: int) -> tuple[Inputs, np.ndarray]:
        """The last events of slices of histories, without a target yet, and the flat index of the first."""
        events, position = self.predictor.replace(histories=histories).events(start, stop)
        none = np.zeros(len(position), np.int32)
        return self.function.inputs(events, ForecastTarget(position, none, none, none + step)), stop - 1 - position

    def _named_item(self, index: np.ndarray | None) -> bool:
        """Whether items are explained that were named: they may be such as cannot come."""
        return self.target.kind == "item" and (index is not None or bool(self.target.index))

    def _most_likely(
        self, histories: Histories, queries: Queries, step: int, targets: ForecastTarget
    ) -> ForecastTarget:
        """The targets of what the run forecasts, calibrated where that is: as its other pages and tables name them."""
        c, log_p = self.config, np.zeros((len(queries.user), 1))
        if self.target.kind != "conversion" and not self.target.index:
            forecaster = forecaster_of_step(self.run, histories, step)
            forecasts = [forecaster.forecast(chunk) for chunk in queries.chunks(forecaster.batch)]
            of = [made.log_probability if self.target.kind == "item" else made.log_interests for made in forecasts]
            log_p = np.concatenate([log_p_of[:, step - 1] for log_p_of in of])
        index, source = choose_targets(self.target, histories, queries, log_p, c.evaluation.seen, c.batch.basket_power)
        return targets._replace(index=index, source=source)


def explain(
    run: Run,
    events: Any = None,
    target: str = "",
    steps: Sequence[int] = (1,),
    users: int | Sequence[str] = 0,
    method: str = "",
) -> tuple[pl.DataFrame, list[str]]:
    """An `attribution_table` of the forecasts for the users of `events` (a path or data frame), or for `users` (see
    `whole_histories`) of the run's own, and notes on them.

    `target`: see `read_target`. Raises UserError for a target or step that the run does not have.
    """
    histories, notes = (run.experiment.histories, []) if events is None else read_histories(events, run.vocabulary)
    parsed = read_target(target, histories, bool(run.config.heads.item))
    explainer, queries = Explainer(run, parsed, method=method), whole_histories(histories, users)
    if lost := int((~explainer.answerable(histories, queries)).sum()):
        notes.append(f"{lost:,} of {len(queries.user):,} users have no list to explain: each {NOTHING_LEFT}")
        if lost == len(queries.user):
            raise UserError(f"{notes[-1]}; {hints.argument('target', 'item=ID')} explains an item of your choice")
    if parsed.kind in ("interest", "migration"):
        notes.append(f"interests are {run.interests_are}")
    if run.calibration:
        notes.append("the model's probabilities are explained as they are before calibration")
    batches = explainer.attributions(histories, queries, steps)
    tables = [attribution_table(batch, histories, parsed, explainer.method_name) for batch in batches]
    return pl.concat(tables).sort("user", "step", "event", maintain_order=True), notes


def attribution_table(batch: AttributionBatch, histories: Histories, target: Target, method: str) -> pl.DataFrame:
    """A row for each input of each event that a forecast sees: user, event (from 0 within the history), time, item,
    title (null where there is none), interest, event_type, target, step, method, log_probability (a migration's
    log-odds) and base_value (the same at the reference), completeness_error (relative), feature, value; all in nats.
    """
    row, column = np.nonzero(np.asarray(batch.inputs.mask))
    event = batch.first[row] + column
    user, item = batch.queries.user[row], histories.item[event]
    targets = batch.inputs.targets
    names = [target_name(target, histories, *pair) for pair in zip(targets.index, targets.source, strict=True)]
    title = pl.col("title") if "title" in histories.items.columns else pl.lit(None)
    catalogue = histories.items.select(pl.col("item").cast(pl.String), title=title.cast(pl.String))
    time = histories.time[event] if histories.has_time else [None] * len(event)
    events = pl.DataFrame(
        {
            "user": histories.users["user"].gather(user).cast(pl.String),
            "event": event - histories.offsets[user],
            "time": pl.from_epoch(pl.Series(time, dtype=pl.Int64), "s"),
            **catalogue[np.maximum(item, 1) - 1].with_columns(pl.when(pl.Series(item > 0)).then(pl.all())).to_dict(),
            "interest": pl.Series([None, *histories.interests], dtype=pl.String).gather(histories.item_interest[item]),
            "event_type": pl.Series(["", *histories.event_types]).gather(histories.event_type[event]),
            "target": pl.Series(names).gather(row),
            "step": np.full(len(event), batch.step),
            "method": [method] * len(event),
            "log_probability": batch.attribution.forecast[row],
            "base_value": batch.attribution.reference_forecast[row],
            "completeness_error": batch.attribution.completeness_error[row],
        }
    )
    values = batch.attribution.values.items()
    by_input = [events.with_columns(feature=pl.lit(name), value=pl.Series(x[row, column])) for name, x in values]
    return pl.concat(by_input).sort("user", "step", "event", maintain_order=True)


def titles(items: pl.DataFrame) -> pl.Expr:
    """Each item's title, or its id where it has none."""
    named = ["title"] if "title" in items.columns else []
    return pl.coalesce(pl.col(*named, "item").cast(pl.String))


def target_name(target: Target, histories: Histories, index: int, source: int = 0) -> str:
    """The name of a target, of an item its id; of a migration without a source its destination's."""
    if target.kind == "conversion":
        return "conversion"
    if target.kind == "item":
        return str(histories.items["item"][int(index) - 1])
    name = ("", *histories.interests)
    return f"{name[source]} {BETWEEN} {name[index]}" if source and target.kind == "migration" else name[index]
