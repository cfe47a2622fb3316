"""Why each item is suggested: the past behaviour that speaks most for it, by the run's explainability head."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.explain import overview
from trajectory.explain.explain import Explainer, attribution_table
from trajectory.explain.narrative import sentences
from trajectory.explain.targets import Target
from trajectory.run import Run
from trajectory.schema import Queries

GIVEN = 2  # reasons of an item, at most


def reasons(run: Run, queries: Queries, lists: pl.DataFrame) -> pl.DataFrame:
    """`lists` (see `recommend.lists.lists`, of the users of `queries`) with a column `because`: up to GIVEN sentences.

    An item is explained at the next step; where nothing in the past speaks for it, `because` is empty.
    """
    if lists.is_empty():
        return lists.with_columns(because=pl.lit("", pl.String))
    h = run.experiment.histories
    place = {user: row for row, user in enumerate(h.users["user"].gather(queries.user).cast(pl.String))}
    number = {item: index + 1 for index, item in enumerate(h.items["item"].head(h.num_items).cast(pl.String))}
    row = np.array([place[user] for user in lists["user"]], np.int64)
    index = np.array([number[item] for item in lists["item"]], np.int32)
    shown_queries = Queries(*(column[row] for column in queries))
    explainer = Explainer(run, Target("item"))
    attributions = [
        attribution_table(explainer.attributed(batch), h, explainer.target, explainer.method_name)
        for batch in explainer.forecasts(h, shown_queries, index=index)
    ]
    because = {}
    for (user, item), rows in pl.concat(attributions).partition_by("user", "target", as_dict=True).items():
        events = overview.whole_events(rows, by_interest=False)
        said = [text for text, speaks_for in sentences(events, "it", h) if speaks_for]
        because[user, item] = "; ".join(text.removesuffix(" towards it") for text in said[:GIVEN])
    pairs = zip(lists["user"], lists["item"], strict=True)
    return lists.with_columns(because=pl.Series([because.get(pair, "") for pair in pairs], dtype=pl.String))
