"""From a run and users to reasons: a row for each input of each past event, with what it adds to a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.data.rows import last_rows, row_length
from trajectory.explain.attribution import Attribution
from trajectory.explain.fields import item_fields
from trajectory.explain.function import Function, Inputs
from trajectory.explain.methods import Method, method
from trajectory.explain.targets import BETWEEN, Target, choose
from trajectory.models.explained import Asked
from trajectory.schema import Histories, Queries
from trajectory.training.run import Run

ROWS = 64  # histories explained at once


@dataclass(frozen=True)
class Reasons:
    """One forecast of each of n queries, explained. Arrays of events are [n, L], newest first column unknown."""

    queries: Queries
    step: int  # steps ahead
    asked: Asked
    inputs: Inputs
    attribution: Attribution
    first: np.ndarray  # int64 [n], flat index of the event in column 0


class Explainer:
    """A run that is asked for reasons."""

    def __init__(self, run: Run, target: Target) -> None:
        task = run.task
        self.run, self.target, self.config = run, target, task.config
        catalogue = task.histories.item_interest[: task.histories.num_items + 1]
        fields = item_fields(*run.unbaked, task.content) if run.unbaked and task.content else None
        self.function = Function.of(task.model, run.params, target.kind, catalogue, fields)
        self.background = self._background()
        self.method: Method = method(task.config, self.background)

    def reasons(self, histories: Histories, queries: Queries, steps: Sequence[int] = (1,)) -> Iterator[Reasons]:
        """Reasons of what is foretold after each query's events; queries of like length together."""
        order = np.argsort(queries.stop - queries.start, kind="stable")
        ordered = Queries(*(column[order] for column in queries))
        for chunk in ordered.chunks(ROWS):
            for step in steps:
                inputs, first = self._inputs(histories, chunk, step)
                yield Reasons(chunk, step, inputs.asked, inputs, self.method(self.function, inputs), first)

    def named(self, histories: Histories, reasons: Reasons, row: int) -> str:
        """The name of what is asked of a row."""
        return target_name(self.target, histories, int(reasons.asked.index[row]), int(reasons.asked.source[row]))

    def _inputs(self, histories: Histories, queries: Queries, step: int) -> tuple[Inputs, np.ndarray]:
        count = queries.stop - queries.start
        length = row_length(int(count.max()), self.config.batch.length)
        first = np.maximum(queries.start, queries.stop - length)
        events = last_rows(histories, self.run.task.scale, queries.start, queries.stop, length)
        n = len(first)
        none = np.zeros(n, np.int32)
        asked = Asked((queries.stop - first - 1).astype(np.int32), none, none, np.full(n, step, np.int32))
        open_question = self.function.inputs(events, asked)
        index, source = choose(
            self.target,
            histories,
            queries,
            np.asarray(self.function.foretold(open_question)),
            self.config.evaluation.seen,
        )
        return open_question._replace(asked=asked._replace(index=index, source=source)), first

    def _background(self) -> Inputs:
        """Histories as they were when training ended, drawn."""
        task, e = self.run.task, self.config.explain
        start, stop = task.histories.offsets[:-1], task.split.train_end
        some = np.flatnonzero(stop > start)
        some = np.sort(np.random.default_rng(self.config.seed).permutation(some)[: e.background])
        queries = Queries(some, start[some], stop[some], stop[some])
        length = row_length(int((stop - start)[some].max()), self.config.batch.length)
        events = last_rows(task.histories, task.scale, queries.start, queries.stop, length)
        none = np.zeros(len(some), np.int32)
        place = (np.minimum(stop - start, length)[some] - 1).astype(np.int32)
        return self.function.inputs(events, Asked(place, none, none, none + 1))


def table(reasons: Reasons, histories: Histories, target: Target, method: str) -> pl.DataFrame:
    """A row for each input of each event that a forecast sees: user, event (from 0 within the history), time, item,
    title, interest, kind, feature, target, step, value (nats), method, completeness gap.
    """
    row, column = np.nonzero(np.asarray(reasons.inputs.there))
    at = reasons.first[row] + column
    user = reasons.queries.user[row]
    item = histories.item[at]
    known = pl.Series(item - 1).cast(pl.Int64).set(pl.Series(item == 0), None)
    names = np.array([target_name(target, histories, *pair) for pair in zip(*reasons.asked[1:3], strict=True)])
    interests = np.array(["", *histories.interests], object)
    kinds = np.array(["", *histories.kinds], object)
    events = pl.DataFrame(
        {
            "user": histories.users["user"].gather(user).cast(pl.String),
            "event": at - histories.offsets[user],
            "time": histories.time[at] if histories.has_time else np.full(len(at), None),
            "item": histories.items["item"].cast(pl.String).gather(known),
            "interest": interests[histories.item_interest[item]].tolist(),
            "kind": kinds[histories.kind[at]].tolist(),
            "target": names[row].tolist(),
            "step": np.full(len(at), reasons.step),
            "method": [method] * len(at),
            "gap": reasons.attribution.gap[row],
        }
    )
    values = reasons.attribution.values.items()
    parts = [events.with_columns(feature=pl.lit(name), value=pl.Series(x[row, column])) for name, x in values]
    return pl.concat(parts).sort("user", "step", "event", maintain_order=True)


def target_name(target: Target, histories: Histories, index: int, source: int = 0) -> str:
    """The name of what is asked; of a migration without a source its destination's."""
    if target.kind == "conversion":
        return "conversion"
    if target.kind == "item":
        return str(histories.items["item"][int(index) - 1])
    name = ("", *histories.interests)
    return f"{name[source]} {BETWEEN} {name[index]}" if source and target.kind == "migration" else name[index]
