"""MIND: impressions of news with what was clicked before them; each article shown or clicked becomes a row."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, described, words
from trajectory.data.ingest.source.settings import Settings

_TIME = "%m/%d/%Y %I:%M:%S %p"
_LINES = 100_000  # taken apart at once


def _expanded(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """A user's history once, before all impressions, in its order and without times; then the impressions by time."""
    line = log.with_columns(
        time=words("time").str.to_datetime(_TIME, strict=False),
        history=words("history").str.split(" "),
        impressions=words("impressions").str.split(" "),
    )
    line = line.with_columns(position=pl.col("time").rank("ordinal").over("user_id").cast(pl.Int64))
    text = pl.Categorical(pl.Categories.random())  # each once in memory, however many rows it is in
    rows = pl.concat([_past(line, text), *(_shown(part, text) for part in line.iter_slices(_LINES))], how="diagonal")
    return rows, described(beside["items"], "news_id") if "items" in beside else None


def _past(line: pl.DataFrame, text: pl.Categorical) -> pl.DataFrame:
    first = line.drop_nulls("history").unique("user_id", keep="first", maintain_order=True)
    count = pl.col("history").list.len()
    rows = first.select("user_id", news_id="history", position=pl.int_ranges(count) - count)
    rows = rows.explode("news_id", "position").with_columns(event_type=pl.lit("click"))
    return rows.with_columns(pl.col("user_id", "news_id", "event_type").cast(text))


def _shown(line: pl.DataFrame, text: pl.Categorical) -> pl.DataFrame:
    broken = [name for name in ("malformed",) if name in line.columns]
    rows = line.select("user_id", "time", "position", *broken, news_id="impressions").explode("news_id")
    clicked = pl.col("news_id").str.ends_with("-1")
    rows = rows.with_columns(
        event_type=pl.when(clicked).then(pl.lit("click")).otherwise(pl.lit("impression")),
        news_id=pl.col("news_id").str.replace(r"-[01]$", ""),
    )
    return rows.with_columns(pl.col("user_id", "news_id", "event_type").cast(text))


FORMATS = (
    Format(
        "MIND",
        log=(
            File(
                name="behaviors.tsv",
                line=r"\d+\t\S+\t\d+/\d+/\d{4} [\d:]+ [AP]M\t[^\t]*\t[^\t]*",
                header=("impression_id", "user_id", "time", "history", "impressions"),
                separator="\t",
                quoted=False,
            ),
        ),
        settings=Settings(
            columns={
                **{
                    "user": "user_id",
                    "item": "news_id",
                    "time": "time",
                    "event_type": "event_type",
                    "position": "position",
                }
            },
            interest_column="category",
            order="position",
        ),
        beside={
            "items": File(
                name="news.tsv",
                line=r"N\d+\t.*",
                header=("news_id", "category", "subcategory", "title", "abstract", "url", "entities", "mentions"),
                separator="\t",
                quoted=False,
            )
        },
        reshape=_expanded,
        note="a user's history (clicks without times) is read once and comes first; then what was shown, each article "
        "a click (-1) or an impression (-0)",
    ),
)
