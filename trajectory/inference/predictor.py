"""A trained model with all that it needs to read histories: one object wherever something is predicted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from trajectory.data.pipeline.featurize import FeatureScale, last_rows, row_length
from trajectory.models.interest_model import InterestModel
from trajectory.schema import Events, Histories
from trajectory.training.experiment import Experiment


@dataclass(frozen=True)
class Predictor:
    """A model, its parameters, and histories in the item indices that it knows.

    `length` is the most events of a history that are read. `filter_seen`: items of the history cannot come again.
    """

    model: InterestModel
    params: Any
    histories: Histories
    feature_scale: FeatureScale
    length: int
    filter_seen: bool = False

    @classmethod
    def of(
        cls, experiment: Experiment, model: InterestModel, params: Any, histories: Histories | None = None
    ) -> Predictor:
        """Of a run's experiment; `histories` are its own by default, or new ones (see `read_histories`).

        `model` and `params` have the items in a table (see `export_item_table`). Parameters are put on one device, for
        training may have spread them over several.
        """
        c = experiment.config
        return cls(
            model,
            jax.device_put(params, jax.local_devices()[0]),
            experiment.histories if histories is None else histories,
            experiment.feature_scale,
            c.batch.length,
            c.evaluation.seen == "filter",
        )

    def replace(self, **changes: Any) -> Predictor:
        """The same with other values of some fields, e.g. other `histories`."""
        return replace(self, **changes)

    def rows(self, start: np.ndarray, stop: np.ndarray, most: int) -> Events:
        """One row for each slice start:stop of a history: its last events, at most `most`, from column 0 on."""
        longest = int((stop - start).max())
        return last_rows(self.histories, self.feature_scale, start, stop, row_length(longest, most))

    def events(self, start: np.ndarray, stop: np.ndarray) -> tuple[Events, np.ndarray]:
        """Rows of the last `length` events before `stop`, and the column of each row's newest event, int32 [n]."""
        newest = np.minimum(stop - start, self.length) - 1
        return self.rows(start, stop, self.length), newest.astype(np.int32)
