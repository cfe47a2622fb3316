"""What all makers of logs with a known truth share: the log itself, its table, and drawing from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.schema import UserError
from trajectory.writing import write_json, write_parquet

START = 1_672_617_600  # unix seconds of Monday 2023-01-02 00:00 UTC, where each log starts


def require(holds: bool, message: str) -> None:
    """Raises UserError with the message unless `holds`."""
    if not holds:
        raise UserError(message)


def at_least(parameters: Any, least: float, *names: str) -> None:
    """Raises UserError unless each named parameter is `least` or more."""
    for name in names:
        require(getattr(parameters, name) >= least, f"{name}={getattr(parameters, name)}: expected at least {least}")


def shares(parameters: Any, *names: str) -> None:
    """Raises UserError unless each named parameter is a share."""
    for name in names:
        value = getattr(parameters, name)
        require(0 <= value <= 1, f"{name}={value}: expected a share from 0 to 1")


@dataclass(frozen=True)
class SyntheticLog:
    """A log and its truth.

    `events`: user_id, item_id, position (from 0 within a user), timestamp (unix s), event_type, basket_id; sorted by
    user and position; events of a basket share the timestamp. `items`: item_id, title, category.
    `truth`: table name -> table; item and user columns hold ids, interest columns categories, weeks count from 0.
    """

    events: pl.DataFrame
    items: pl.DataFrame
    truth: dict[str, pl.DataFrame]
    parameters: dict[str, Any]

    def write(self, folder: str | Path) -> None:
        """Writes interactions.parquet, items.parquet, truth/<table>.parquet and truth/parameters.json.

        Raises UserError if the folder cannot be written.
        """
        truth = Path(folder) / "truth"
        try:
            truth.mkdir(parents=True, exist_ok=True)
            write_parquet(self.events, truth.parent / "interactions.parquet")
            write_parquet(self.items, truth.parent / "items.parquet")
            for name, table in self.truth.items():
                write_parquet(table, truth / f"{name}.parquet")
            write_json(self.parameters, truth / "parameters.json")
        except OSError as error:
            raise UserError(f"cannot write the log into {folder}: {error}; give another folder") from error


def interactions(
    user: np.ndarray,
    item: np.ndarray,
    position: np.ndarray,
    timestamp: np.ndarray,
    basket: np.ndarray,
    event_types: Sequence[str],
    event_type: np.ndarray,
) -> pl.DataFrame:
    """The interactions table from indices that start at 0."""
    return pl.DataFrame(
        {
            "user_id": user + 1,
            "item_id": item + 1,
            "position": position,
            "timestamp": timestamp,
            "event_type": pl.Series(list(event_types)).gather(event_type),
            "basket_id": basket + 1,
        }
    )


def categorical(probabilities: np.ndarray, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One column for each entry of `row`, drawn from that row of `probabilities` [rows, columns].

    All rows' cumulative sums, each raised by its row number, are one sorted array: one search serves all draws.
    """
    rows, columns = probabilities.shape
    cumulative = np.cumsum(probabilities, axis=1, dtype=np.float64)
    cumulative /= cumulative[:, -1:]
    cumulative += np.arange(rows)[:, None]
    column = np.searchsorted(cumulative.ravel(), rng.random(row.size) + row, side="right") - row * columns
    return np.minimum(column, columns - 1)


def ranks(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... counts[0] - 1, 0, 1, ... counts[1] - 1, ..."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
