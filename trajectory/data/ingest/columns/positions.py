"""What orders events that share their time: a column that tells them apart, unless it only follows the item's id."""

from __future__ import annotations

import re

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.parsing import mostly_numeric, numbers, positions, texts
from trajectory.data.ingest.columns.detect import matching
from trajectory.data.ingest.columns.overview import unused
from trajectory.data.ingest.findings import Findings, clip

# Words in the names of columns that count the time of a session, number its events, or may number them.
_CLOCK = re.compile(r"(^|_)(elapsed|offset|millis|ms)(_|$)")
_NUMBERING = re.compile(r"(^|_)(pos|position|seq|sequence|step|order_(in|within|at|of)|order$)(_|$)")
_PERHAPS = re.compile(r"(^|_)(order|rank|nr|num|number|counter)(_|$)")
_OTHER = re.compile(
    r"(^|_)(row|line|index|id|tax|vat|total|subtotal|amount|price|value|cost|discount|fee|shipping|sales|revenue|"
    r"quantity|qty|units|pieces|items|count|score|rating|reviews|weight|size)(_|$)"
)
_APART = 0.95  # of the events that share their time
_PLACES = ("position", "位置")  # names of a place in a session, and of one on a page
_FOLLOW = 0.2  # of the steps at least, where positions count on but for events that are left out
_RUN = 0.8  # of the steps between neighbours, where a column may number them

_ENOUGH = 30  # pairs of neighbours below which nothing is concluded
_SAME = 0.99  # of the pairs that run up (or down) the ids
_VARIED = 0.5  # pairs that differ, of all: where users follow one path, ids of neighbours repeat
_SAMPLE = 1_000_000  # rows looked at


def numbered_ties(
    columns: dict[str, pl.Series],
    table: pl.DataFrame,
    data: ConfigDict,
    fields: dict[str, str],
    found_by: dict[str, str],
) -> dict[str, pl.Series]:
    """A position that no common name tells, but that orders events of equal times; added to `fields` and `found_by`."""
    if "time" not in columns or "position" in columns or data.order != "auto" or data.baskets:
        return {}
    moments = pl.DataFrame({name: columns[name] for name in ("user", "time", "subsecond") if name in columns})
    name = _breaker(moments, table, unused(table.columns, fields, data, data.features))
    if not name:
        return {}
    fields["position"], found_by["position"] = name, "content"
    return {"position": positions(table[name])}


def whole_positions(table: pl.DataFrame, fields: dict[str, str], data: ConfigDict, said: Findings) -> dict[str, str]:
    """The fields without a position that is one by its name alone: its cells are no whole numbers."""
    name = fields.get("position", "")
    if not name or data.columns.position or _whole(table[name]):
        return fields
    cells = texts(table[name]).drop_nulls()
    such = f", such as {clip(cells[0])!r}" if len(cells) else ""
    said.note(
        "order", f"{name} is no place in an order: it holds no whole numbers{such}", "data.columns.position", True
    )
    return {field: column for field, column in fields.items() if field != "position"}


def by_session(columns: dict[str, pl.Series], session: pl.Series) -> pl.Series:
    """Positions that do not mix the sessions of a day: where they count anew in each, one follows the other whole."""
    by = [name for name in ("user", "time") if name in columns]
    frame = pl.DataFrame({name: columns[name] for name in (*by, "position", "source_line")})
    frame = frame.with_columns(session.alias("session"))
    bounds = _sample(frame).drop_nulls().group_by(*by, "session").agg(low=pl.min("position"), high=pl.max("position"))
    mixed = bounds.sort(*by, "low").select((pl.col("low") <= pl.col("high").shift(1).over(by)).any()).item()
    if not mixed:
        return columns["position"]
    first = pl.col("source_line").min().over("user", "session")
    return frame.select(pl.struct(first, "position").rank("dense").cast(pl.Int64)).to_series()


def without_untrusted_positions(events: pl.DataFrame, by_name: str, data: ConfigDict, said: Findings) -> pl.DataFrame:
    """Without a position that only orders equal times by the item's id, as files are sorted, not as things are done,
    and without one of the column `by_name` that is the place on a page or a shelf: it does not count on.
    """
    if data.order != "auto" or data.baskets or not {"time", "position"} <= {*events.columns}:
        return events
    if not data.columns.position and _follows_item(events):
        text = "the position follows the item id where times are equal, so chance orders those"
        said.note("order", text, "data.columns.position trusts it", warning=True)
        return events.drop("position")
    if matching([by_name], _PLACES) and not data.columns.position and _jumps(events):
        text = (
            f"{by_name} does not count on where times are equal, as a place on a page does not, so chance orders those"
        )
        said.note("order", text, "data.columns.position trusts it", warning=True)
        return events.drop("position")
    said.note("order", "events of equal times by position", "data.order=time leaves them to chance")
    return events


def _jumps(events: pl.DataFrame) -> bool:
    """Whether few of the positions of a moment follow the one before, or the same."""
    moment = [name for name in ("user", "time", "subsecond") if name in events.columns]
    known = _sample(events).select(*moment, "position").drop_nulls().sort("position")
    steps = known.select(pl.col("position").diff().over(moment)).to_series().drop_nulls()
    return len(steps) >= _ENOUGH and int(steps.is_between(0, 1).sum()) < _FOLLOW * len(steps)


def _breaker(moments: pl.DataFrame, table: pl.DataFrame, free: list[str]) -> str:
    """The column, of the `free` ones, that numbers the events of equal `moments` (user, time ...); "" if none does."""
    named = [name for name in free if _numbers_events(table[name])]
    if not named:
        return ""
    frame = _sample(moments.with_columns(positions(table[name]).alias(f"by {name}") for name in named))
    tied = frame.drop_nulls(moments.columns).filter(pl.struct(moments.columns).is_duplicated())
    for name in named if tied.height else []:
        places = tied.select(*moments.columns, place=f"by {name}").drop_nulls()
        apart = places.n_unique() >= _APART * tied.height
        if apart and (_says_so(name) or _runs(places, moments.columns)):
            return name
    return ""


def _runs(places: pl.DataFrame, moment: list[str]) -> bool:
    """Whether most places within a moment follow one another without a gap, as numbers of events do."""
    steps = places.sort("place").select(pl.col("place").diff().over(moment)).to_series().drop_nulls()
    return int((steps == 1).sum()) >= _RUN * len(steps)


def _sample(events: pl.DataFrame) -> pl.DataFrame:
    """All events of some users, where there are very many."""
    every = events.height // _SAMPLE + 1
    return events.filter(pl.col("user").hash() % every == 0) if every > 1 else events


def _numbers_events(column: pl.Series) -> bool:
    """Whether a column may number events by its name and its cells, which are whole but where they count time."""
    plain = _plain(column.name)
    if _OTHER.search(plain) or not mostly_numeric(column):
        return False
    return bool(_CLOCK.search(plain) or (_whole(column) and (_NUMBERING.search(plain) or _PERHAPS.search(plain))))


def _whole(column: pl.Series) -> bool:
    """Whether the cells are numbers, and those that are have no fraction."""
    if not mostly_numeric(column):
        return False
    number = numbers(column).fill_nan(None).drop_nulls()
    return bool((number == number.round()).all())


def _says_so(name: str) -> bool:
    """Whether the name alone says that a column is a place in an order, or a clock."""
    return bool(_CLOCK.search(_plain(name)) or _NUMBERING.search(_plain(name)))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", re.sub(r"([a-z])([A-Z])", r"\1_\2", name)).lower()


def _tied_pairs(events: pl.DataFrame) -> pl.DataFrame:
    """Neighbours by position among the events of one user and moment: `item` and `before`, the one before."""
    moment = [name for name in ("user", "time", "subsecond") if name in events.columns]
    known = _sample(events).select(*moment, "position", "item").drop_nulls()
    tied = known.filter(pl.struct(moment).is_duplicated()).sort(*moment, "position")
    before = pl.col("item").shift(1).over(moment)
    return tied.select("item", before=before).drop_nulls().filter(pl.col("item") != pl.col("before"))


def _follows_item(events: pl.DataFrame) -> bool:
    """Whether positions only list the items of a moment by id. Users who all take one path are no such case."""
    pairs = _tied_pairs(events)
    if pairs.height < _ENOUGH or pairs.n_unique() < _VARIED * pairs.height:
        return False
    up = float((pairs["item"] > pairs["before"]).mean())  # type: ignore[arg-type]
    return max(up, 1 - up) >= _SAME
