"""A log while it is read: what the stages hand on to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.source.domains import DOMAINS
from trajectory.data.ingest.source.sources import Source


@dataclass
class Reading:
    """What is known of a log so far.

    `data`: `config.data` after `domains.resolve`; `source`: the raw tables; `said`: what was decided and doubted.
    `table`: the rows of the source, with columns that join several of it. `fields`: what a column means -> its name;
    `found_by`: how that was found. `columns`: the canonical columns that were read so far.
    `stepwise`: the log has no items, each row is a step with a label. `typed`: a column states what was done.
    `statuses`: columns that may be the status of orders; `flags`: columns that told that a sale was none.
    `told`: further entries of `EventLog.detected`.
    """

    data: ConfigDict
    source: Source
    said: Findings
    table: pl.DataFrame
    fields: dict[str, str] = field(default_factory=dict)
    found_by: dict[str, str] = field(default_factory=dict)
    columns: dict[str, pl.Series] = field(default_factory=dict)
    stepwise: bool = False
    typed: bool = False
    statuses: set[str] = field(default_factory=set)
    flags: list[str] = field(default_factory=list)
    features: tuple[str, ...] = ()
    items: pl.DataFrame | None = None
    event_id: str = ""
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def known_layout(self) -> bool:
        """Whether the log is of a domain or of a public format, so that nothing has to be found in its columns."""
        return bool(self.source.named) or self.data.source in DOMAINS

    @property
    def used(self) -> set[str]:
        """The columns of the table that mean something already."""
        return {*self.fields.values(), *self.data.features}

    def constant(self, value: object) -> pl.Series:
        """A canonical column that is the same in all rows."""
        return pl.Series([value]).new_from_index(0, self.table.height)
