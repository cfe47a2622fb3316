"""What a run must know of its log to read other histories: items, interests, types of event, and how events come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.source.domains import resolve
from trajectory.data.pipeline.event_statistics import EventStatistics, event_statistics
from trajectory.data.store.arrays import COLUMNS
from trajectory.data.store.builder import detected
from trajectory.reading import NUMBER, read_json, tuples
from trajectory.renamed import with_vocabulary
from trajectory.schema import Histories, UserError
from trajectory.settings import base
from trajectory.writing import write_json, write_parquet

ITEMS, FACTS = "vocabulary.parquet", "vocabulary.json"
_NUMBER = "interest_number"  # column of the item table on disk: the index of the item's interest, 0 = none
_COPIED = ("name", "fingerprint", "source", "has_time", "baskets", "num_items", "zone")
_NAMES = ("interests", "event_types", "feature_names")
_FORM = {
    **dict.fromkeys(("name", "fingerprint", "source", "day_first", "zone"), str),
    **dict.fromkeys(("has_time", "baskets"), bool),
    "num_items": int,
    **{name: [str] for name in _NAMES},
    "roles": {str: [str]},
    "statistics": {"event_type": int, "gap": NUMBER, "lines": int, "has_time": bool},
    "settings": dict,
}


@dataclass(frozen=True)
class Vocabulary:
    """A log without its users and events."""

    catalogue: Histories  # of no user: items, interests, types of event
    statistics: EventStatistics
    settings: ConfigDict  # config.data, resolved: how the log was read
    day_first: str = ""  # yes | no: whether days come first in the log's dates, where its whole column had to tell

    @classmethod
    def of(cls, histories: Histories, data: ConfigDict) -> Vocabulary:
        """That of the log that `config.data` describes."""
        decided = detected(histories, data).get("decided", {})
        catalogue = replace(histories, **_no_events(histories.features.shape[1]))
        return cls(catalogue, event_statistics(histories), resolve(data), decided.get("day_first", ""))

    def save(self, folder: Path) -> None:
        """Writes vocabulary.parquet, a row for each item in the order of their indices, and vocabulary.json."""
        known = self.catalogue
        facts: dict[str, Any] = {name: getattr(known, name) for name in (*_COPIED, *_NAMES, "roles")}
        write_parquet(known.items.with_columns(pl.Series(_NUMBER, known.item_interest[1:])), folder / ITEMS)
        facts |= {"statistics": self.statistics._asdict(), "settings": self.settings.to_dict()}
        write_json(facts | {"day_first": self.day_first}, folder / FACTS)

    @classmethod
    def load(cls, folder: Path) -> Vocabulary | None:
        """That of a run's folder; None where it was made before runs kept one. UserError if it is damaged."""
        if not (folder / FACTS).exists():
            return None
        advice = "the trajectory train command of the run writes it again"
        statistics = (f"statistics.{name}" for name in EventStatistics._fields)
        facts = read_json(folder / FACTS, _FORM, advice, *_FORM, *statistics, renamed=with_vocabulary)
        try:
            items = pl.read_parquet(folder / ITEMS)
            numbers = items[_NUMBER].to_numpy()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise UserError(
                f"{folder / ITEMS} is missing or damaged ({str(error).splitlines()[0]}); {advice}"
            ) from None
        names: dict[str, Any] = {name: tuple(facts[name]) for name in _NAMES}
        catalogue = Histories(
            **{name: facts[name] for name in _COPIED},
            **names,
            **_no_events(len(names["feature_names"])),
            items=items.drop(_NUMBER),
            item_interest=np.append(0, numbers).astype(np.int32),
            roles={event_type: tuple(own) for event_type, own in facts["roles"].items()},
        )
        settings = base().data  # fields that came after the run was made keep their defaults
        settings.update(ConfigDict(tuples(facts["settings"])))
        return cls(catalogue, EventStatistics(**facts["statistics"]), settings, facts["day_first"])


def _no_events(features: int) -> dict[str, Any]:
    """The fields of histories that hold users and events, of none."""
    columns: dict[str, Any] = {name: np.zeros(0, dtype) for name, dtype in COLUMNS.items()}
    return {
        **columns,
        "features": np.zeros((0, features), np.float32),
        "offsets": np.zeros(1, np.int64),
        "users": pl.DataFrame(schema={"user": pl.String}),
        "outside": pl.DataFrame(),
    }
