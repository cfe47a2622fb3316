"""What a log says of sales: events whose type has the role sale, returns among them, inside and outside histories."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from trajectory.schema import Histories, UserError


class Sales(NamedTuple):
    """S sales; of a type that also has the role negative (a return), quantity and value are below 0."""

    user: np.ndarray  # int64 [S], row of the user in `Histories.users`; -1 where the user has no history
    item: np.ndarray  # int32 [S], index of the item; 0 where no history has it
    time: np.ndarray  # int64 [S], unix seconds
    quantity: np.ndarray  # float64 [S], 1 where it is not stated
    value: np.ndarray  # float64 [S], NaN where it is not stated


def selling(histories: Histories) -> tuple[str, ...]:
    """The log's types that sell; none: the log tells of no sale."""
    outside = histories.outside["type"].unique().to_list() if histories.outside.height else []
    types = (*histories.kinds, *sorted(set(outside) - {*histories.kinds}))
    return tuple(kind for kind in types if "sale" in histories.roles[kind] and "negative" not in histories.roles[kind])


def require_sales(histories: Histories, what: str) -> None:
    """Raises UserError where the log tells of no sale; `what` needs them, such as "demand"."""
    if not selling(histories):
        raise UserError(
            f"{what} needs sales, and none of this log's types of event ({', '.join(histories.kinds)}) is a sale; if "
            f"one is, say so with --config.data.event_types.{histories.kinds[-1]}=input,target,sale and train again"
        )


def sold(histories: Histories) -> np.ndarray:
    """Pieces that each event of the histories sells, float64 [E]: 0 where its type is no sale, 1 where not stated."""
    sign = np.where(histories.has_role("negative"), -1.0, 1.0) * histories.has_role("sale")
    return sign * np.where(np.isnan(histories.quantity), 1, histories.quantity)


def sales(histories: Histories) -> Sales:
    """All sales of a log: those of the histories in order, then those outside."""
    at = np.flatnonzero(histories.has_role("sale"))
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))[at]
    quantity = sold(histories)[at]
    value = np.where(histories.has_role("negative")[at], -1.0, 1.0) * histories.value[at]
    inside = Sales(user, histories.item[at], histories.time[at], quantity, value)
    types = [kind for kind, roles in histories.roles.items() if "sale" in roles]
    outside = histories.outside
    if not outside.height or not (outside := outside.filter(pl.col("type").is_in(types))).height:
        return inside
    negative = outside["type"].is_in([kind for kind in types if "negative" in histories.roles[kind]]).to_numpy()
    sign = np.where(negative, -1.0, 1.0)
    others = Sales(
        _numbers(outside["user"], histories.users["user"]).astype(np.int64),
        (_numbers(outside["item"], histories.items["item"]) + 1).astype(np.int32),
        outside["time"].to_numpy(),
        sign * outside["quantity"].fill_null(1).to_numpy(),
        sign * outside["value"].fill_null(np.nan).to_numpy(),
    )
    return Sales(*map(np.concatenate, zip(inside, others, strict=True)))


def _numbers(ids: pl.Series, known: pl.Series) -> np.ndarray:
    """The row of each id among the known ones, -1 where it is not."""
    rows = pl.DataFrame({"id": known}).with_row_index("row")
    found = pl.DataFrame({"id": ids}).join(rows, on="id", how="left", maintain_order="left")
    return found["row"].cast(pl.Int64).fill_null(-1).to_numpy()
