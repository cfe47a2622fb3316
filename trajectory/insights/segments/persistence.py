"""How much of what users bought lately beyond what they bought so far goes on, by the weeks held out for validation."""

from __future__ import annotations

import numpy as np

from trajectory.data.times import WEEK
from trajectory.inference.new_users import histories_before
from trajectory.insights.segments.volumes import summed, totals, values
from trajectory.schema import Histories, Split

HALF = 0.5  # taken to go on where nothing tells
PRIOR = 0.01  # of squared volumes: with differences as large, what came counts as much as HALF


def persistence(histories: Histories, split: Split) -> float | None:
    """The share by least squares, 0 to 1: a low spell is partly chance, and users are grouped and named by it, so that
    of what sets a group apart only this much is to come. None without a split by time, as nothing can tell.
    """
    begin, end = split.cut_time("validation"), split.cut_time("test")
    if begin is None or end is None:
        return None
    queries = histories_before(histories, begin)
    value, lately = totals(histories, queries, values(histories, begin), begin)
    during = values(histories, end) * ((histories.time >= begin) & (histories.time < end))
    every = np.ones(histories.num_events, np.int64)
    came = summed(every, during, queries.start, queries.end, 1)[:, 0] / ((end - begin) / WEEK)
    apart, prior = lately - value, PRIOR * (value**2).sum()
    share = ((apart * (came - value)).sum() + HALF * prior) / max((apart**2).sum() + prior, 1e-12)
    return float(np.clip(share, 0, 1))
