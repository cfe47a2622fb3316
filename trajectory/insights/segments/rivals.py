"""What segments are measured against: k-means of recency, frequency and spend, and of raw counts of interests."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from trajectory.data.times import DAY
from trajectory.insights.migrations.step_windows import shares
from trajectory.insights.segments.grouping import k_means, narrowed
from trajectory.insights.segments.states import Trajectories
from trajectory.insights.segments.volumes import summed, values

RFM, COUNTS, RFM_LOG, TASTE = "RFM k-means", "raw-count k-means", "RFM k-means, logarithms", "shares k-means"
RIVALS = (RFM, RFM_LOG, COUNTS, TASTE)


def rivals(trajectories: Trajectories) -> dict[str, np.ndarray]:
    """Features [n, any] of each rival segmentation, from the same events before the moment."""
    histories, queries = trajectories.histories, trajectories.queries
    worth, _ = values(histories)
    spent = np.concatenate([[0], np.cumsum(worth)])
    last = histories.time[queries.stop - 1]
    moment = last.max() if trajectories.moment is None else trajectories.moment
    frequency = histories.step[queries.stop - 1] + 1
    rfm = np.stack([(moment - last) / DAY, frequency, spent[queries.stop] - spent[queries.start]], 1)
    interest = histories.item_interest[histories.item]
    counted = summed(interest, np.ones(len(worth)), queries.start, queries.stop, len(histories.interests))
    return {
        RFM: StandardScaler().fit_transform(rfm),
        RFM_LOG: StandardScaler().fit_transform(np.log1p(rfm)),
        COUNTS: narrowed(counted),
        TASTE: narrowed(shares(trajectories.past @ trajectories.field_shares)),
    }


def grouped(features: np.ndarray, count: int, seed: int = 0) -> KMeans:
    """k-means [n, any] with as many groups as the segments it is compared with, or as there are different users."""
    return k_means(features, min(count, len(np.unique(features, axis=0))), seed)
