"""Targets of an explanation: the words of a command, and the index they stand for, of each user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.data.store.readable import interest_number
from trajectory.data.store.union import item_and_user_domains
from trajectory.forecasting.forecast import past_shares
from trajectory.metrics.ranking import distinct_items
from trajectory.models.forecast_function import TARGETS
from trajectory.schema import Histories, Queries, UserError

BETWEEN = ">"  # the interests of a migration


@dataclass(frozen=True)
class Target:
    """A kind of target, and which; 0 = the most likely one of each user."""

    kind: str  # item | interest | migration | conversion
    index: int = 0  # item, interest, or a migration's destination
    source: int = 0  # the interest that a migration leaves; 0 = the user's most frequent one


def read_target(text: str, histories: Histories, ranks: bool = True) -> Target:
    """`item`, `interest`, `migration` or `conversion`, the first three also with `=` and a name: an item's id, an
    interest, or two interests with > between them. "" is interest where the log has any, else item, and a
    conversion for a model that `ranks` no items.

    Raises UserError for what the log does not have.
    """
    default = "conversion" if not ranks else "interest" if histories.interests else "item"
    kind, named, name = (text or default).partition("=")
    if kind not in TARGETS or (named and kind == "conversion"):
        raise UserError(
            f"target {text} is unknown; expected one of {', '.join(TARGETS)}, or one by its name: item=ID, "
            f"interest=NAME, migration=NAME{BETWEEN}NAME"
        )
    if len(histories.interests) < (needed := {"interest": 1, "migration": 2}.get(kind, 0)):
        raise UserError(
            f"target {kind} needs {needed} interests or more, and {histories.name} has {len(histories.interests)}; "
            f"{hints.argument('target', 'item')} explains items"
        )
    if not named:
        return Target(kind)
    if kind == "item":
        index = histories.items["item"].head(histories.num_items).cast(pl.String).index_of(name)
        if index is None:
            raise UserError(f"target item={name}: no such item among the {histories.num_items:,} of {histories.name}")
        return Target(kind, index + 1)
    if kind == "migration":
        source, between, destination = name.partition(BETWEEN)
        if not between:
            raise UserError(f"target migration={name}: expected two interests with {BETWEEN} between them")
        return Target(kind, _interest(destination, histories), _interest(source, histories))
    return Target(kind, _interest(name, histories))


def choose_targets(
    target: Target, histories: Histories, queries: Queries, log_p: np.ndarray, seen: str, power: float
) -> tuple[np.ndarray, np.ndarray]:
    """(index [n], source [n]) of each query's target, given the log-probabilities [n, ...] that are predicted for it.

    Items of the history are no candidates where `seen` is "filter", nor are those of domains other than the user's;
    `power` as of `past_shares`.
    """
    n = len(queries.user)
    source = np.full(n, target.source, np.int32)
    if target.kind == "conversion":
        return np.zeros(n, np.int32), source
    if target.index:
        return np.full(n, target.index, np.int32), source
    log_p = np.array(log_p)
    log_p[:, 0] = -np.inf
    if target.kind == "item" and (domains := item_and_user_domains(histories)) is not None:
        of_item, of_user = domains
        log_p[of_item[None, : log_p.shape[1]] != of_user[queries.user][:, None]] = -np.inf
    if target.kind == "item" and seen == "filter":
        seen_items = distinct_items(histories, queries.start, queries.stop)
        catalogued = np.where(seen_items <= histories.num_items, seen_items, 0)
        np.put_along_axis(log_p, catalogued, -np.inf, axis=1)
    if target.kind == "migration" and not target.source:
        shares = past_shares(histories, queries, 1, power)[:, 0, 1:]
        source = 1 + shares.argmax(axis=1).astype(np.int32)
        np.put_along_axis(log_p, source[:, None], -np.inf, axis=1)
    return log_p.argmax(axis=1).astype(np.int32), source


def _interest(name: str, histories: Histories) -> int:
    if not (number := interest_number(histories, name)):
        examples = ", ".join(histories.interests[:5])
        raise UserError(
            f"{name!r} is none of the {len(histories.interests)} interests of {histories.name}: {examples} ..."
        )
    return number
