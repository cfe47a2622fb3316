"""Files beside a log, such as stock, segments or campaigns: read through its door, by its rules of ids."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from trajectory.data.files.table import read_table
from trajectory.data.ingest.cells.parsing import ids
from trajectory.data.ingest.columns.detect import LOG_NAMES, detect, listing
from trajectory.data.ingest.items.table import same_ids
from trajectory.data.ingest.source import domains
from trajectory.data.ingest.source.data_frames import source_name
from trajectory.schema import UserError

_LOGGER = logging.getLogger(__name__)

USER, ITEM = ({field: (field, *LOG_NAMES[field])} for field in ("user", "item"))
_SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv", ".txt", ".jsonl", ".json", ".csv.zip", ".zip")
_HINT = "write the names of its columns into a line above it"
_FEW = 0.9  # share of ids that are known, below which it is said


def folder_of(source: str) -> Path | None:
    """The folder of a log, in which files beside it lie; None where the log is a single file or no path."""
    folder = domains.locate(source) if source in domains.known() else Path(source).expanduser()
    return folder if folder.is_dir() else None


def first_side_file(folder: Path, *stems: str) -> Path | None:
    """The first file of one of these names, of whatever kind, in a folder."""
    paths = (folder / f"{stem}{suffix}" for stem in stems for suffix in _SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def read_side(
    path: Path,
    setting: str,
    needed: Mapping[str, tuple[str, ...]],
    optional: Mapping[str, tuple[str, ...]] | None = None,
    others: bool = False,
) -> pl.DataFrame:
    """The rows of a file that can be used: columns `needed` and `optional`, named by field, and with `others` the rest.

    `setting`: what named the file, for messages. Ids are as in the log; rows that are malformed or lack a
    needed cell are left out, which is said. UserError if the file cannot be read, lacks a column or has no such row.
    """
    fields = {**needed, **(optional or {})}

    def named(columns: list[str]) -> dict[str, str]:
        fields_found = detect(columns, fields)
        if missing := [field for field in needed if field not in fields_found]:
            raise UserError(
                f"{setting}: {source_name(path)} lacks the column {', '.join(missing)}; it has {listing(columns)}"
            )
        return fields_found

    keep = None if others else lambda columns: [*named(columns).values()]
    raw = read_table(path, keep=keep, setting=setting, hint=_HINT)
    names = named(raw.table.columns)
    for note in raw.notes:
        _LOGGER.info(f"{setting}: {note}")
    table = raw.table.select(pl.exclude([field for field in names if names[field] != field])).rename(
        {column: field for field, column in names.items() if column != field}
    )
    table = table.with_columns(ids(table[field]).alias(field) for field in ("user", "item") if field in names)
    return usable_rows(table, path, setting, pl.all_horizontal(pl.col([*needed]).is_not_null()), raw.malformed)


def usable_rows(
    table: pl.DataFrame, path: Path, setting: str, good: pl.Expr | pl.Series, malformed: pl.Series | None = None
) -> pl.DataFrame:
    """The rows that are `good`; how many are not, and the first of them, is said. UserError if none is."""
    keep = table.select(good.fill_null(False).alias("good")).to_series()
    if keep.all() and len(keep):
        return table
    if not keep.any():
        raise UserError(f"{setting}: {source_name(path)} has not one row that can be used, of {len(keep):,}")
    row = int((~keep).arg_max() or 0)
    text = malformed[row] if malformed is not None else None
    shown = text if text is not None else ", ".join("" if cell is None else str(cell) for cell in table.row(row))
    _LOGGER.warning(
        f"{setting}: {int((~keep).sum()):,} of {len(keep):,} rows of {source_name(path)} are left out, the first: "
        f"{shown[:200]!r}"
    )
    return table.filter(keep)


def as_known(column: pl.Series, known: pl.Series) -> pl.Series:
    """Ids of a file as the log has them (their type too), null where it has not: 7.0 is 7, and 007 where 7 is not."""
    if column.dtype.is_integer() and known.dtype.is_integer():
        return column.set(~column.is_in(known.implode()), None).cast(known.dtype)
    theirs, ours = ids(column).cast(pl.String), known.cast(pl.String)
    same = same_ids(ours.unique().drop_nulls(), theirs.unique().drop_nulls())
    pairs = pl.DataFrame({"text": ours, "id": known}).unique("text", keep="first")
    text = theirs.replace(same["other"], same["id"]).alias("text").to_frame()
    return text.join(pairs, on="text", how="left", maintain_order="left")["id"].alias(column.name)


def say_known(column: pl.Series, in_log: pl.Series, known: pl.Series, path: Path, setting: str, what: str) -> None:
    """Says how many ids of a file the log has, if that is not most of them. UserError if it has none."""
    distinct = column.n_unique()
    hits = in_log.drop_nulls().n_unique()
    strange = column.filter(in_log.is_null()).head(1).cast(pl.String)
    example = f"{strange.first()!s} is not, the log has such as {known.cast(pl.String).first()!s}"
    if not hits:
        raise UserError(f"{setting}: none of the {distinct:,} {what}s of {source_name(path)} is in the log: {example}")
    if hits < _FEW * distinct:
        _LOGGER.info(
            f"{setting}: {hits:,} of the {distinct:,} {what}s of {source_name(path)} are in the log; {example}"
        )
