"""Logs of what people listen to, watch and play: Last.fm-1K, KuaiRec, KuaiRand and Steam."""

from __future__ import annotations

import polars as pl

from trajectory.data.files.files import Part
from trajectory.data.formats.layout import File, Format, described, words
from trajectory.data.formats.nested import records
from trajectory.data.ingest.source.settings import Settings


def _tracks(log: pl.DataFrame, _: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, None]:
    named = pl.concat_str("artist", "title", separator=" - ")
    log = log.with_columns(item_id=pl.coalesce(words("track_id"), named))
    return log.with_columns(category="artist"), None


def _watched(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    if "items" not in beside:
        return log, None
    tag = words("feat").str.extract(r"(\d+)")
    return log, described(beside["items"], "video_id", category=tag)


def _signals(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """The strongest of what a user did with a video that was shown."""
    event_type = pl.lit("impression")
    for name, meaning in (("is_click", "click"), ("is_like", "favorite"), ("is_hate", "low_rating")):
        event_type = pl.when(words(name) == "1").then(pl.lit(meaning)).otherwise(event_type)
    log = log.with_columns(event_type=event_type)
    return log, beside["items"].select(
        "video_id", category=words("tag").str.split(",").list.first()
    ) if "items" in beside else None


def _libraries(part: Part) -> pl.DataFrame:
    games = pl.List(pl.Struct({"item_id": pl.String, "item_name": pl.String}))
    return records(part, {"user_id": pl.String, "items": games}, explode="items").with_columns(title="item_name")


def _reviews(part: Part) -> pl.DataFrame:
    reviews = pl.List(pl.Struct(dict.fromkeys(("item_id", "posted", "recommend"), pl.String)))
    return records(part, {"user_id": pl.String, "reviews": reviews}, explode="reviews")


def _posted(log: pl.DataFrame, _: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, None]:
    """Of such as "Posted November 5, 2011."; those of the year of the crawl leave it out."""
    day = words("posted").str.extract(r"^Posted (\w+ \d+, \d{4})").str.to_date("%B %d, %Y", strict=False)
    return log.with_columns(posted=day, recommend=words("recommend").str.to_lowercase()), None


LASTFM_1K = (
    Format(
        "Last.fm-1K",
        log=(
            File(
                name="userid-timestamp*",
                line=r"user_\d+\t\d{4}-\d\d-\d\dT[\d:]+Z\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*",
                header=("user_id", "timestamp", "artist_id", "artist", "track_id", "title"),
                separator="\t",
                quoted=False,
            ),
        ),
        settings=Settings(
            columns={"user": "user_id", "item": "item_id", "time": "timestamp"},
            event_type_map={"": "play"},
            event_types={"play": "input,target"},
            interest_column="category",
        ),
        reshape=_tracks,
        note='an item is its track id, else "artist - track"; category is the artist',
    ),
)
KUAIREC = (
    Format(
        "KuaiRec",
        log=(
            File(
                name="big_matrix.csv|small_matrix.csv",
                columns=("user_id", "video_id", "play_duration", "video_duration", "timestamp", "watch_ratio"),
            ),
        ),
        settings=Settings(
            columns={"user": "user_id", "item": "video_id", "time": "timestamp", "rating": "watch_ratio"},
            event_type_map={"": "view"},
            interest_column="category",
        ),
        beside={"items": File(name="item_categories*", columns=("video_id", "feat"))},
        reshape=_watched,
        note="category is a video's first tag; of a folder big_matrix.csv is read, not small_matrix.csv",
    ),
)
KUAIRAND = (
    Format(
        "KuaiRand",
        log=(File(name="log_*", columns=("user_id", "video_id", "time_ms", "is_click", "is_like", "is_hate")),),
        settings=Settings(
            columns={"user": "user_id", "item": "video_id", "time": "time_ms", "event_type": "event_type"},
            interest_column="category",
        ),
        beside={"items": File(name="video_features_basic*", columns=("video_id", "tag"))},
        reshape=_signals,
        note="a row is of the strongest of its signals: is_hate (low_rating), is_like (favorite), is_click (click), "
        "else an impression; category is a video's first tag",
    ),
)
STEAM = (
    Format(
        "Steam, libraries of users",
        log=(File(columns=("user_id", "items_count", "steam_id", "items"), read=_libraries),),
        settings=Settings(
            columns={"user": "user_id", "item": "item_id"},
            event_type_map={"": "purchase"},
            interest_column="",
        ),
        note="a game that a user owns is a purchase; they have no times and stay in the order of the file",
    ),
    Format(
        "Steam, reviews of 2018",
        log=(
            File(
                columns=("username", "product_id", "date", "page_order"),
                read=lambda part: records(part, dict.fromkeys(("username", "product_id", "date", "text"), pl.String)),
            ),
        ),
        settings=Settings(
            columns={"user": "username", "item": "product_id", "time": "date"},
            event_type_map={"": "rating"},
            interest_column="",
        ),
        note="hours played are not read",
    ),
    Format(
        "Steam, reviews of Australian users",
        log=(File(columns=("user_id", "user_url", "reviews"), read=_reviews),),
        settings=Settings(
            columns={"user": "user_id", "item": "item_id", "time": "posted", "event_type": "recommend"},
            event_type_map={"true": "rating", "false": "low_rating"},
            interest_column="",
        ),
        reshape=_posted,
        note="a review that recommends is of the type rating, else low_rating; those without a year have no time",
    ),
    Format(
        "Steam, 200k",
        log=(
            File(
                line=r'\d+,("[^"]*"|[^,"]*),(purchase|play),[\d.]+,0',
                header=("user_id", "item_id", "behavior", "hours", "zero"),
                separator=",",
            ),
        ),
        settings=Settings(
            columns={"user": "user_id", "item": "item_id", "event_type": "behavior"},
            event_types={"play": "input,target"},
            interest_column="",
        ),
        note="hours played are not read; rows have no times and stay in the order of the file",
    ),
)
