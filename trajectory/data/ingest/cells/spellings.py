"""Ids that differ by case or leading zeros only: said, and taken for one where that is asked for."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.distinct import distinct_texts
from trajectory.data.ingest.cells.parsing import is_text
from trajectory.data.ingest.findings import Findings, clip

_SHOWN = 2
_ZEROS = r"^0+(\d+)$"  # that a spreadsheet takes off


def unify_spellings(ids: pl.Series, name: str, fold: bool, said: Findings) -> pl.Series:
    """The ids of column `name`, all in their most frequent spelling if `fold`; warns of several spellings otherwise."""
    if not is_text(ids):
        return ids
    counts = ids.drop_nulls().value_counts(name="rows").select(pl.col(ids.name).cast(pl.String).alias("id"), "rows")
    counts = counts.with_columns(key=pl.col("id").str.to_lowercase().str.replace(_ZEROS, "$1")).filter(
        pl.len().over("key") > 1
    )
    if counts.is_empty():
        return ids
    counts = counts.sort("rows", "id", descending=[True, False])
    groups = counts.group_by("key", maintain_order=True).agg("id")
    shown = "; ".join(" and ".join(repr(clip(text)) for text in group) for group in groups["id"].head(_SHOWN))
    number = counts["id"].str.contains(_ZEROS)
    what = "leading zeros" if number.any() else "upper and lower case"
    what = f"upper and lower case or {what}" if number.any() and counts["key"].str.contains(r"\D").any() else what
    text = f"{counts.height:,} in {name} are {groups.height:,} but for {what}, such as {shown}"
    if not fold:
        said.note("ids", text, "data.fold_case=True takes them for one", warning=True)
        return ids
    said.note("ids", f"{text}, and are taken for one", "data.fold_case=False")
    first = groups.select("key", first=pl.col("id").list.first())
    same = counts.join(first, on="key").filter(pl.col("id") != pl.col("first"))
    if not isinstance(ids.dtype, pl.Categorical):
        return ids.replace(same["id"], same["first"])
    distinct, rows = distinct_texts(ids)
    return distinct.replace(same["id"], same["first"]).cast(pl.Categorical(pl.Categories.random())).gather(rows)
