"""From a run and users to reasons: a row for each input of each past event, with what it adds to a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from trajectory.data.pipeline.featurize import row_length
from trajectory.evaluation.reach import NOTHING_LEFT, reach
from trajectory.explain.attribution import Attribution
from trajectory.explain.content_attribution import item_fields
from trajectory.explain.methods import Method, method
from trajectory.explain.references import baseline
from trajectory.explain.target_function import Base, Function, Inputs
from trajectory.explain.targets import BETWEEN, Target, choose, read_target
from trajectory.inference.new_users import read_histories, whole_histories
from trajectory.models.forecast_function import ForecastTarget
from trajectory.progress import progress
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError

ROWS, MOST = 64, 256  # histories explained at once; where more fit into rows of the same length, at most
EVENTS, FORETOLD = 2**14, 2**24  # events of all of them, and probabilities of what could be asked, at most


@dataclass(frozen=True)
class Forecasts:
    """One forecast of each of n queries; arrays of events are [n, L], oldest first."""

    queries: Queries
    step: int  # steps ahead
    inputs: Inputs
    first: np.ndarray  # int64 [n], flat index of the event in column 0


@dataclass(frozen=True)
class Reasons(Forecasts):
    """The same, explained."""

    attribution: Attribution


class Explainer:
    """A run that is asked for reasons."""

    def __init__(self, run: Run, target: Target, by_field: bool = True) -> None:
        """`by_field`: fields of items' content are inputs of their own, for which the run's log is needed."""
        known, heads = run.vocabulary.catalogue, run.config.heads
        self.run, self.target, self.config, self.predictor = run, target, run.config, run.predictor(known)
        ranks = heads.item or (heads.interest and target.kind != "item")
        if target.kind != "conversion" and not ranks:
            raise UserError(f"target {target.kind}: no head of this run has learned it (heads.item, heads.interest)")
        catalogue = known.item_interest[: known.num_items + 1]
        content = run.task.content if by_field and run.config.content.by != "ids" else None
        fields = item_fields(*run.learned, content) if content else None
        self.function = Function.of(run.model, self.predictor.params, target.kind, catalogue, fields)
        self.method = self.by(self.config.explain.method)

    def by(self, name: str) -> Method:
        """A method of attribution by its name."""
        return method(name, self.config, self.base, lambda: self.background)

    def base(self, inputs: Inputs) -> Base:
        """What these inputs are compared with, as the config says."""
        return baseline(self.config.explain.baseline, inputs, lambda: self.background)

    @cached_property
    def background(self) -> Inputs:
        """Histories as they were when training ended, drawn."""
        events, newest = self.run.background
        none = np.zeros(len(newest), np.int32)
        return self.function.inputs(events, ForecastTarget(newest, none, none, none + 1))

    def reasons(self, histories: Histories, queries: Queries, steps: Sequence[int] = (1,)) -> Iterator[Reasons]:
        """Reasons of what is foretold after each query's events; queries of like length together."""
        for some in self.forecasts(histories, queries, steps):
            yield Reasons(**vars(some), attribution=self.method(self.function, some.inputs))

    def forecasts(
        self, histories: Histories, queries: Queries, steps: Sequence[int] = (1,), index: np.ndarray | None = None
    ) -> Iterator[Forecasts]:
        """What `reasons` explains; if items or interests `index` [n] are given, of those instead of the target's.

        Queries that leave nothing to ask for (`answerable`) are left out.
        """
        if index is None:
            some = self.answerable(histories, queries)
            queries = Queries(*(column[some] for column in queries))
        order = np.argsort(queries.stop - queries.start, kind="stable")
        ordered = Queries(*(column[order] for column in queries))
        count = np.minimum(ordered.stop - ordered.start, self.config.batch.length)
        begin = 0
        with progress(None, "reasons", len(order) * len(steps), " forecasts") as bar:
            while begin < len(order):
                end = begin + self._rows(count[begin:])
                chunk = Queries(*(column[begin:end] for column in ordered))
                for step in steps:
                    inputs, first = self._read(histories, chunk.start, chunk.stop, step)
                    if index is None:
                        inputs = self._ask(histories, chunk, inputs)
                    else:
                        inputs = inputs._replace(asked=inputs.asked._replace(index=index[order[begin:end]]))
                    yield Forecasts(chunk, step, inputs, first)
                    bar.update(len(chunk.user))
                begin = end

    def answerable(self, histories: Histories, queries: Queries) -> np.ndarray:
        """Whether there is something that the target can be of each query, bool [n]: a likeliest item must be one that
        the user has not had, where seen items are filtered.
        """
        if self.target.kind != "item" or self.target.index or self.config.evaluation.seen != "filter":
            return np.ones(len(queries.user), bool)
        return reach(histories, queries).left > 0

    def _rows(self, count: np.ndarray) -> int:
        """How many of the first histories of so many events, ascending, are explained at once."""
        length = row_length(int(count[:ROWS].max()), self.config.batch.length)
        fit = int(np.searchsorted(count, length, side="right"))
        return max(min(EVENTS // length, FORETOLD // len(self.function.item_interest), fit, MOST), 1)

    def _read(self, histories: Histories, start: np.ndarray, stop: np.ndarray, step: int) -> tuple[Inputs, np.ndarray]:
        """The last events of slices of histories, of which nothing is asked yet, and the flat index of the first."""
        events, place = self.predictor.replace(histories=histories).events(start, stop)
        none = np.zeros(len(place), np.int32)
        return self.function.inputs(events, ForecastTarget(place, none, none, none + step)), stop - 1 - place

    def _ask(self, histories: Histories, queries: Queries, inputs: Inputs) -> Inputs:
        c, log_p = self.config, np.asarray(self.function.foretold(inputs))
        index, source = choose(self.target, histories, queries, log_p, c.evaluation.seen, c.batch.basket_power)
        return inputs._replace(asked=inputs.asked._replace(index=index, source=source))


def explain(
    run: Run, events: Any = None, target: str = "", steps: Sequence[int] = (1,), users: int = 0
) -> tuple[pl.DataFrame, list[str]]:
    """A `table` of what drives the forecasts for the users of `events` (a path or data frame), or for `users` (0 = all)
    of the run's own, and what must be told of them.

    `target`: see `read_target`. Raises UserError for a target or step that the run does not have.
    """
    histories, notes = (run.task.histories, []) if events is None else read_histories(events, run.vocabulary)
    aim = read_target(target, histories, bool(run.config.heads.item))
    explainer, queries = Explainer(run, aim), whole_histories(histories, users)
    if lost := int((~explainer.answerable(histories, queries)).sum()):
        notes.append(f"{lost:,} of {len(queries.user):,} users have no list to explain: each {NOTHING_LEFT}")
        if lost == len(queries.user):
            raise UserError(f"{notes[-1]}; the target item=ID explains an item of your choice")
    method = run.config.explain.method
    parts = [table(some, histories, aim, method) for some in explainer.reasons(histories, queries, steps)]
    return pl.concat(parts).sort("user", "step", "event", maintain_order=True), notes


def table(reasons: Reasons, histories: Histories, target: Target, method: str) -> pl.DataFrame:
    """A row for each input of each event that a forecast sees: user, event (from 0 within the history), time, item,
    title (the id where there is none), interest, kind, target, step, method, completeness gap, feature, value (nats).
    """
    row, column = np.nonzero(np.asarray(reasons.inputs.there))
    at = reasons.first[row] + column
    user, item = reasons.queries.user[row], histories.item[at]
    asked = reasons.inputs.asked
    names = [target_name(target, histories, *pair) for pair in zip(asked.index, asked.source, strict=True)]
    catalogue = histories.items.select(pl.col("item").cast(pl.String), title=titles(histories.items))
    events = pl.DataFrame(
        {
            "user": histories.users["user"].gather(user).cast(pl.String),
            "event": at - histories.offsets[user],
            "time": histories.time[at] if histories.has_time else np.full(len(at), None),
            **catalogue[np.maximum(item, 1) - 1].with_columns(pl.when(pl.Series(item > 0)).then(pl.all())).to_dict(),
            "interest": pl.Series([None, *histories.interests], dtype=pl.String).gather(histories.item_interest[item]),
            "kind": pl.Series(["", *histories.kinds]).gather(histories.kind[at]),
            "target": pl.Series(names).gather(row),
            "step": np.full(len(at), reasons.step),
            "method": [method] * len(at),
            "gap": reasons.attribution.gap[row],
        }
    )
    values = reasons.attribution.values.items()
    parts = [events.with_columns(feature=pl.lit(name), value=pl.Series(x[row, column])) for name, x in values]
    return pl.concat(parts).sort("user", "step", "event", maintain_order=True)


def titles(items: pl.DataFrame) -> pl.Expr:
    """Each item's title, or its id where it has none."""
    named = ["title"] if "title" in items.columns else []
    return pl.coalesce(pl.col(*named, "item").cast(pl.String))


def target_name(target: Target, histories: Histories, index: int, source: int = 0) -> str:
    """The name of what is asked, of an item its id; of a migration without a source its destination's."""
    if target.kind == "conversion":
        return "conversion"
    if target.kind == "item":
        return str(histories.items["item"][int(index) - 1])
    name = ("", *histories.interests)
    return f"{name[source]} {BETWEEN} {name[index]}" if source and target.kind == "migration" else name[index]
