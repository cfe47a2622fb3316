"""What a delivered list can reach: targets that repeat the user's history, and users whom nothing is left for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from trajectory.data.pipeline.featurize import slices
from trajectory.data.store.union import item_and_user_domains
from trajectory.schema import Histories, Queries

NOTHING_LEFT = "has had every item of the catalogue, and evaluation.seen=filter shows none again"
AT_ONCE = 4096  # queries


class Reach(NamedTuple):
    """Of n queries, each array int64 [n]."""

    repeats: np.ndarray  # target events whose item the history holds
    left: np.ndarray  # candidates that the history does not hold (of several domains, those of the user's own)


def reach(histories: Histories, queries: Queries) -> Reach:
    """Which targets repeat their history, and how many candidates it leaves where seen items are filtered."""
    domains = item_and_user_domains(histories)
    parts = []
    for chunk in queries.chunks(AT_ONCE):
        history, targets = (_keys(histories, *bounds) for bounds in ((chunk.start, chunk.stop), chunk[2:]))
        history = np.unique(history)
        row, item = np.divmod(history, _width(histories))
        known = (item > 0) & (item <= histories.num_items)
        candidates = np.full(len(chunk.user), histories.num_items)
        if domains is not None:
            of_item, of_user = domains
            candidates = np.bincount(of_item)[of_user[chunk.user]]
        n = len(chunk.user)
        repeated = targets[np.isin(targets, history) & (targets % _width(histories) > 0)]
        repeats = np.bincount(repeated // _width(histories), minlength=n)
        parts.append(Reach(repeats, candidates - np.bincount(row[known], minlength=n)))
    none = np.zeros(0, np.int64)
    return (
        Reach(*(np.concatenate([none, *columns]) for columns in zip(*parts, strict=True)))
        if parts
        else Reach(none, none)
    )


def reach_facts(histories: Histories, queries: dict[str, Queries], seen: str) -> dict[str, Any]:
    """What the protocol says of it, for each part: repeat targets, their share, and users with nothing left."""
    filtered = seen == "filter"
    by_part = {part: reach(histories, of) for part, of in queries.items()}
    events = {part: len(_keys(histories, of.stop, of.end)) for part, of in queries.items()}
    repeats = {part: int(of.repeats.sum()) for part, of in by_part.items()}
    return {
        "repeat_targets": repeats,
        "repeat_share": {part: repeats[part] / max(events[part], 1) for part in queries},
        "repeat_rule": "seen items are in no list, so it is a miss" if filtered else "seen items are candidates",
        "nothing_left": {part: int((of.left == 0).sum()) if filtered else 0 for part, of in by_part.items()},
    }


def reach_sentence(facts: dict[str, Any], part: str) -> str:
    """What a table says of `reach_facts` after the number of targets; "" of an evaluation made before it had any."""
    if "repeat_targets" not in facts:
        return ""
    repeats, share = facts["repeat_targets"][part], facts["repeat_share"][part]
    had = f"an earlier {facts['step']} of the user was of" if facts.get("predicted") else "the user has had"
    said = f" and {repeats:,} repeat targets ({share:.1%}, items {had}: {facts['repeat_rule']})"
    if facts["nothing_left"][part]:
        said += f"; {facts['nothing_left'][part]:,} users with nothing left to recommend (an empty list, a miss)"
    return said


def _keys(histories: Histories, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Row and item of each target event of the slices, as one number."""
    row, index = slices(start, stop)
    item = histories.target_item[index]
    return (row * _width(histories) + item)[item > 0]


def _width(histories: Histories) -> int:
    return len(histories.item_interest)
