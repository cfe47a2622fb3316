"""MIND: impressions of news with what was clicked before them; each article shown or clicked becomes a row."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, described, words
from trajectory.data.settings import Settings

_TIME = "%m/%d/%Y %I:%M:%S %p"


def _expanded(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """A user's history once, before all impressions, in its order and without times; then the impressions by time."""
    line = log.with_columns(
        time=words("time").str.to_datetime(_TIME, strict=False),
        history=words("history").str.split(" "),
        impressions=words("impressions").str.split(" "),
    )
    past = line.drop_nulls("history").unique("user_id", keep="first", maintain_order=True)
    past = past.select("user_id", news_id="history")
    past = past.with_columns(position=pl.int_ranges(pl.col("news_id").list.len()) - pl.col("news_id").list.len())
    past = past.explode("news_id", "position")
    past = past.with_columns(event_type=pl.lit("click"), time=pl.lit(None, pl.Datetime("us")))
    rank = pl.col("time").rank("ordinal").over("user_id").cast(pl.Int64)
    broken = [name for name in ("malformed",) if name in log.columns]
    shown = line.select("user_id", "time", *broken, shown="impressions", position=rank).explode("shown")
    label = pl.col("shown").str.extract(r"-([01])$")
    kind = pl.when(label == "1").then(pl.lit("click")).otherwise(pl.lit("impression"))
    shown = shown.with_columns(event_type=kind, news_id=pl.col("shown").str.replace(r"-[01]$", "")).drop("shown")
    rows = pl.concat([past, shown], how="diagonal_relaxed")
    if "items" not in beside:
        return rows, None
    return rows, described(beside["items"], "news_id")


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
                **{"user": "user_id", "item": "news_id", "time": "time", "kind": "event_type", "position": "position"}
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
