"""What segments are measured against: k-means of sales (recency, frequency, spend), and of raw counts of interests."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from trajectory.data.pipeline.splits import step_starts
from trajectory.data.store.sales import pieces_sold, selling_event_types
from trajectory.data.times import DAY
from trajectory.insights.segments.grouping import k_means, principal_axes
from trajectory.insights.segments.states import Trajectories
from trajectory.insights.segments.volumes import summed, values
from trajectory.migrations.step_windows import shares
from trajectory.schema import Histories

RFM, COUNTS, RFM_LOG, TASTE = "RFM k-means", "raw-count k-means", "RFM k-means, logarithms", "shares k-means"
RIVALS = (RFM, RFM_LOG, COUNTS, TASTE)


def comparison_features(trajectories: Trajectories) -> dict[str, np.ndarray]:
    """Features [n, any] of each rival segmentation, from the same events before the moment."""
    histories, queries = trajectories.histories, trajectories.queries
    worth = values(histories, trajectories.moment)
    spent = np.concatenate([[0], np.cumsum(worth)])
    counts = pieces_sold(histories) > 0 if selling_event_types(histories) else np.ones(histories.num_events, bool)
    # Who has bought nothing yet has last bought when the history began.
    before = np.maximum.accumulate(np.where(counts, np.arange(len(counts)), -1))[queries.stop - 1]
    last = histories.time[np.maximum(before, queries.start)]
    moment = histories.time[queries.stop - 1].max() if trajectories.moment is None else trajectories.moment
    new = np.concatenate([[0], np.cumsum(_first_of_step(histories, counts))])
    frequency = new[queries.stop] - new[queries.start]
    rfm = np.stack([(moment - last) / DAY, frequency, spent[queries.stop] - spent[queries.start]], 1)
    interest = histories.item_interest[histories.item]
    counted = summed(interest, np.ones(len(worth)), queries.start, queries.stop, len(histories.interests))
    return {
        RFM: StandardScaler().fit_transform(rfm),
        RFM_LOG: StandardScaler().fit_transform(np.log1p(rfm)),
        COUNTS: principal_axes(counted),
        TASTE: principal_axes(shares(trajectories.past @ trajectories.field_shares)),
    }


def _first_of_step(histories: Histories, counts: np.ndarray) -> np.ndarray:
    """The first event that counts of each step, bool [E]."""
    at = np.flatnonzero(counts)
    step = np.searchsorted(step_starts(histories), at, side="right")
    first = np.zeros(len(counts), bool)
    first[at[np.append(True, step[1:] != step[:-1])[: len(at)]]] = True
    return first


def grouped(features: np.ndarray, count: int, seed: int = 0) -> KMeans:
    """k-means [n, any] with as many groups as the segments it is compared with, or as there are different users."""
    return k_means(features, min(count, len(np.unique(features, axis=0))), seed)
