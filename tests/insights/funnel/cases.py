"""A made-up log of views, carts and purchases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from trajectory.schema import EVENT_TYPES, Histories

START = 1_704_067_200  # 2024-01-01
TYPES = ("view", "cart", "purchase")
MINUTE, DAY = 60, 86_400


def log(events: list[tuple[str, float, int, str]], interests: int = 2) -> Histories:
    """Histories of (user, minute, item, type); item i is of interest (i - 1) % interests + 1, named c1, c2, ..."""
    from tests.builders import make_histories

    users = sorted({user for user, *_ in events})
    mine = [sorted((e for e in events if e[0] == user), key=lambda e: e[1]) for user in users]
    made = make_histories(
        [[item for _, _, item, _ in own] for own in mine],
        event_types=[[TYPES.index(kind) + 1 for *_, kind in own] for own in mine],
        interests=interests,
    )
    return replace(
        made,
        time=np.array([START + round(minute * MINUTE) for own in mine for _, minute, *_ in own], np.int64),
        users=pl.DataFrame({"user": users}),
        event_types=TYPES,
        roles=dict(EVENT_TYPES),
    )
