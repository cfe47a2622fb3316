"""MovieLens: ratings of films, in the layouts of 100K, 1M and 10M, and 20M to 32M."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, described, words
from trajectory.data.ingest.source.settings import Settings

_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_HEADER = ("userId", "movieId", "rating", "timestamp")
_COLUMNS = {"user": "userId", "item": "movieId", "rating": "rating", "time": "timestamp"}
_SETTINGS = Settings(columns=_COLUMNS, event_type_map={"": "rating"}, interest_column="category", min_date="1995-01-01")
_NOTE = "category is a film's first genre"


def _flagged(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    if "items" not in beside:
        return log, None
    genre = pl.coalesce(pl.when(words(name) == "1").then(pl.lit(name)) for name in _GENRES)
    return log, described(beside["items"], "movieId", category=genre)


def _listed(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    if "items" not in beside:
        return log, None
    genre = words("genres").str.split("|").list.first().replace("(no genres listed)", None)
    return log, described(beside["items"], "movieId", category=genre)


FORMATS = (
    Format(
        "MovieLens 100K",
        log=(File(name="u.data", line=r"\d+\t\d+\t[1-5]\t\d{9,10}", header=_HEADER, separator="\t"),),
        settings=_SETTINGS,
        beside={
            "items": File(
                name="u.item",
                line=r"\d+\|.*(\|[01]){19}",
                header=("movieId", "title", "released", "video", "url", *_GENRES),
                separator="|",
                quoted=False,
                encoding="latin-1",
            )
        },
        reshape=_flagged,
        note=_NOTE,
    ),
    Format(
        "MovieLens 1M and 10M",
        log=(
            File(
                name="ratings.dat",
                line=r"\d+::\d+::[0-5](\.[05])?::\d{9,10}",
                header=_HEADER,
                separator="::",
            ),
        ),
        settings=_SETTINGS,
        beside={
            "items": File(
                name="movies.dat",
                line=r"\d+::.+::.*",
                header=("movieId", "title", "genres"),
                separator="::",
                quoted=False,
            )
        },
        reshape=_listed,
        note=_NOTE,
    ),
    Format(
        "MovieLens 20M, 25M, 32M and latest",
        log=(File(name="ratings.csv|rating.csv|ratings_small.csv", columns=_HEADER),),
        settings=_SETTINGS,
        beside={"items": File(name="movies.csv|movie.csv", columns=("movieId", "title", "genres"))},
        reshape=_listed,
        note=_NOTE,
    ),
)
