"""Histories of new users in their own ids, read for a trained run: what is unknown is reported, none dropped unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.data.files.dialect import HeaderMissing
from trajectory.data.ingest.cells.dates import UndecidedDay
from trajectory.data.ingest.columns.detect import JOINED, listing, pick
from trajectory.data.ingest.items.table import same_ids
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.quality.summary import summary
from trajectory.data.ingest.source.data_frames import as_path, source_name
from trajectory.data.ingest.source.sources import read_source
from trajectory.data.ingest.stages.events import STEP_ITEM
from trajectory.data.store.arrays import flatten
from trajectory.data.store.vocabulary import Vocabulary
from trajectory.schema import DEFAULT_EVENT_TYPE, EventLog, Histories, Queries, UserError
from trajectory.settings import base

SHOWN = 5  # unknown items named in a note


def read_histories(events: Any, vocabulary: Vocabulary, user: str = "") -> tuple[Histories, list[str]]:
    """The log `events` as histories in the item indices of a run's vocabulary, and a list of things to tell the user.

    `events`: a path, a polars or pandas data frame, or a PyArrow table; all are cleaned alike. `user` names the
    only user of a log without a user column. Unknown items become index 0: the model sees that something happened.
    Raises UserError if no item is known, or features are missing.
    """
    with as_path(events) as path:
        try:
            return _read_file(path, vocabulary, user)
        except UserError as error:
            if "data." not in str(error):
                raise
            raise UserError(f"{_as_learned(vocabulary)}. Reading them said: {error}") from None


def _read_file(path: Path, vocabulary: Vocabulary, user: str) -> tuple[Histories, list[str]]:
    trained, source = vocabulary.catalogue, source_name(path)
    mine = _settings(path, vocabulary, user)
    day_first = mine.day_first
    log = _read(mine, vocabulary.day_first)
    users = log.events["user"].drop_nulls().unique(maintain_order=True)
    cleaned = clean(log, mine)
    notes = [summary(cleaned)] if cleaned.counts else []
    if mine.day_first != day_first:
        notes.append(f"nothing in {source} tells days from months: read as in the log that was learned")
    histories = flatten(cleaned, mine, trained.name)
    notes += _without_events(users, histories)
    if tuple(histories.feature_names) != tuple(trained.feature_names):
        raise UserError(
            f"the model was trained with the features {list(trained.feature_names)}, "
            f"but {source} has {list(histories.feature_names)}"
        )
    number = _item_numbers(histories, trained)
    notes += _unknown_items(source, histories, trained, number)
    event_type = _event_type_numbers(histories, vocabulary, notes)
    return replace(
        histories,
        item=number[histories.item],
        event_type=event_type[histories.event_type],
        items=trained.items,
        item_interest=trained.item_interest,
        interests=trained.interests,
        event_types=trained.event_types,
        roles=histories.roles | trained.roles,
        num_items=trained.num_items,
        has_time=trained.has_time and histories.has_time,
    ), notes


def _as_learned(vocabulary: Vocabulary) -> str:
    """What helps; settings of data, of which errors of reading speak, are not taken here."""
    named = ", ".join(f"{name} ({field})" for field, name in vocabulary.settings.columns.items() if name)
    columns = (
        f"columns named as the run's log has them: {named}" if named else "columns of usual names: user, item, time"
    )
    only_user = hints.argument("single_user", "ID")
    return (
        f"new users' events are read as the run's own log: give {columns}, and types of event in its words; where "
        f"there is no column of users, all is of {only_user}. No setting of data can be given here"
    )


def _read(mine: ConfigDict, day_first: str) -> EventLog:
    """The log; where nothing in a few rows tells whether days or months come first, as in the log that was learned."""
    try:
        return read_log(mine)
    except UndecidedDay:
        if not day_first:
            raise
        mine.day_first = day_first
        return read_log(mine)


def whole_histories(histories: Histories, users: int | Sequence[str] = 0) -> Queries:
    """One query per user: what comes after the whole history; of so many `users`, spread over the log (0 = all), or of
    those with these ids. UserError for an id that the log does not have.
    """
    chosen = np.arange(histories.num_users)
    if not isinstance(users, int):
        chosen = _rows_of_users(histories, users)
    elif 0 < users < histories.num_users:
        chosen = np.linspace(0, histories.num_users - 1, users).round().astype(np.int64)
    start, stop = histories.offsets[:-1][chosen], histories.offsets[1:][chosen]
    return Queries(chosen, start, stop, stop)


def _rows_of_users(histories: Histories, users: Sequence[str]) -> np.ndarray:
    row = {name: i for i, name in enumerate(histories.users["user"].cast(pl.String))}
    if missing := [name for name in users if name not in row]:
        raise UserError(f"user {', '.join(missing)}: not among the {histories.num_users:,} of {histories.name}")
    return np.array([row[name] for name in users], np.int64)


def histories_before(histories: Histories, moment: int | None) -> Queries:
    """A query for each user with an event before `moment` (unix seconds; None: the log's end): its history up to
    there, and what follows. Also of those who never come back: who does is not known at that moment.
    """
    start, end = histories.offsets[:-1], histories.offsets[1:]
    stop = end
    if moment is not None:
        late = np.concatenate([[0], np.cumsum(histories.time >= moment)])
        stop = end - (late[end] - late[start])
    user = np.flatnonzero(stop > start)
    return Queries(user, start[user], stop[user], end[user])


def _settings(path: Path, vocabulary: Vocabulary, user: str) -> ConfigDict:
    """The settings of the run's log for another file: same types of event and baskets, its columns if there."""
    trained, mine = vocabulary.catalogue, vocabulary.settings.copy_and_resolve_references()
    mine.source, mine.format = str(path), mine.format and "auto"  # it may be a plain table
    mine.item_column = mine.interest_column = ""  # items are those of the model
    mine.single_user = user or mine.single_user
    mine.time_zone = trained.zone  # nothing in a few rows tells it
    mine.cleaning = base().data.cleaning  # limits of dates and counts were for the log that was learned
    columns = _columns(mine)
    there = {*columns}
    mine.columns.update(
        {field: "" for field, name in mine.columns.items() if name not in there and not {*name.split(JOINED)} <= there}
    )
    columns_found = pick(columns, mine.columns)
    if user and (own := columns_found.get("user")):
        said = hints.argument("single_user", user)
        raise UserError(f"{said}: {source_name(path)} has its users in its column {own}; leave it out")
    if "rating" not in columns_found:
        mine.rating_threshold = 0.0
    if mine.order == "position" and "position" not in columns_found:
        mine.order = "time"
    if "label" not in columns_found and trained.items["item"].to_list() == [STEP_ITEM]:
        raise UserError(
            f"the model has learned labels of rows without items, so {source_name(path)} needs a column label too "
            f"(0 where it is not known: it is not read); it has {listing(columns)}"
        )
    return mine


def _columns(mine: ConfigDict) -> list[str]:
    """The columns of the file. It may be written otherwise than the run's log: then that is found out, and set."""
    header, own = mine.header, {"separator": mine.separator, "encoding": mine.encoding, "format": mine.format}
    error: UserError | None = None
    for written in (own, {"separator": "", "encoding": "", "format": "auto"}):
        mine.update({**written, "header": ()})
        try:
            try:
                columns = read_source(mine).table.columns
            except HeaderMissing as missing:
                if len(missing.cells) != len(header):
                    raise
                mine.header = header
                columns = read_source(mine).table.columns
        except UserError as wrong:
            error = error or wrong
            continue
        if len(columns) > 1 or written is not own:
            return columns
    raise error or UserError(f"{mine.source} cannot be read as the run's log was")


def _item_numbers(histories: Histories, trained: Histories) -> np.ndarray:
    """Item index of the model, 0 = unknown, for each item index of the new histories; int32."""
    known = trained.items[: trained.num_items].select(pl.col("item").cast(pl.String)).with_row_index("number", offset=1)
    own = histories.items.select(pl.col("item").cast(pl.String))
    same = same_ids(known["item"], own["item"])
    own = own.with_columns(pl.col("item").replace(same["other"], same["id"]))
    rows = own.join(known, on="item", how="left", maintain_order="left")
    return np.append(0, rows["number"].fill_null(0).to_numpy()).astype(np.int32)


def _unknown_items(source: str, histories: Histories, trained: Histories, number: np.ndarray) -> list[str]:
    unknown = histories.items["item"].cast(pl.String).filter(number[1:] == 0).to_list()
    if not unknown:
        return []
    shown = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
    if not number.any():
        examples = ", ".join(map(str, trained.items["item"][: min(SHOWN, trained.num_items)]))
        raise UserError(f"no item of {source} is known to the model: it has {shown}; the model knows {examples}, ...")
    events = int((number[histories.item] == 0).sum())
    several, times = "s" * (len(unknown) > 1), "s" * (events > 1)
    counted = f"{len(unknown):,} item{several} in {events:,} event{times}"
    return [f"unknown to the model: {counted} ({shown}), known only as events"]


def _without_events(users: pl.Series, histories: Histories) -> list[str]:
    """Says which users of the file are left out: those without an event that can be used and is read."""
    every = users.cast(pl.String)
    lost = every.filter(~every.is_in(histories.users["user"].cast(pl.String).implode())).to_list()
    shown = ", ".join(lost[:SHOWN]) + (", ..." if len(lost) > SHOWN else "")
    return [f"left out: {len(lost):,} users without an event that the model reads ({shown})"] if lost else []


def _event_type_numbers(histories: Histories, vocabulary: Vocabulary, notes: list[str]) -> np.ndarray:
    """The model's index of each event type of the new histories, int8; says in `notes` what it had to guess."""
    event_types, usual = vocabulary.catalogue.event_types, vocabulary.statistics.event_type - 1
    strange = [event_type for event_type in histories.event_types if event_type not in event_types]
    if strange:
        if strange == [DEFAULT_EVENT_TYPE]:
            notes.append(f"no types of event are stated: all are read as {event_types[usual]!r}")
        else:
            if read := [event_type for event_type in event_types if event_type in vocabulary.catalogue.only_read]:
                usual = event_types.index(read[0])  # what is not known was not bought
            notes.append(f"event types unknown to the model are read as {event_types[usual]!r}: {', '.join(strange)}")
    known = [
        event_types.index(event_type) if event_type in event_types else usual for event_type in histories.event_types
    ]
    return np.array([-1, *known], np.int8) + np.int8(1)
