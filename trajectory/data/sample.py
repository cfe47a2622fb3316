"""Some of a log's users: a first look that takes seconds whatever the size of the log."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from trajectory.data.arrays import COLUMNS
from trajectory.data.rows import slices
from trajectory.schema import Histories


def some_users(histories: Histories, count: int) -> Histories:
    """The histories of so many users (0 = all), drawn by their number of events, and says so; the items stay.

    Longer histories are likelier to be drawn, so that some can be split. Always the same ones.
    """
    if not 0 < count < histories.num_users:
        return histories
    length = np.diff(histories.offsets)
    # The least of exponential times with these rates: a draw without replacement (Efraimidis & Spirakis 2006).
    order = np.argsort(np.random.default_rng(0).exponential(size=len(length)) / np.maximum(length, 1e-9))
    some = np.sort(order[:count])
    _, index = slices(histories.offsets[:-1][some], histories.offsets[1:][some])
    print(f"{count:,} of {histories.num_users:,} users of {histories.name}, {len(index):,} events (split.users)")
    columns = {name: getattr(histories, name)[index] for name in COLUMNS}
    return replace(
        histories,
        fingerprint=hashlib.sha256(f"{histories.fingerprint} {count} users".encode()).hexdigest(),
        offsets=np.append(0, np.cumsum(length[some])),
        users=histories.users[some],
        **columns,
    )
