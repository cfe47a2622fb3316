"""Samples of ratings and reviews: MovieLens, Amazon, RecBole's atomic files; and what they hold."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.data.formats.counting import Row, dicts, json_lines, split
from tests.data.formats.writing import ROWS, write, write_csv, write_lines


def movielens_100k(folder: Path, rng: random.Random) -> Path:
    rows = [(rng.randint(1, 25), rng.randint(1, 40), rng.randint(1, 5), 880_000_000 + i * 977) for i in range(ROWS)]
    write(folder / "u.data", rows, "\t")
    write(folder / "u1.base", rows[:200], "\t")  # a fold of the same ratings: not to be read twice
    flags = [["1" if g == i % 19 else "0" for g in range(19)] for i in range(1, 41)]
    films = [
        (i, f'Café "{i}", The (1995)', "01-Jan-1995", "", f"http://us.imdb.com/M?{i}", *flags[i - 1])
        for i in range(1, 41)
    ]
    write(folder / "u.item", films, "|", encoding="latin-1")
    return folder


def movielens_1m(folder: Path, rng: random.Random) -> Path:
    rows = [(rng.randint(1, 25), rng.randint(1, 40), rng.randint(1, 5), 978_300_000 + i // 2) for i in range(ROWS)]
    write(folder / "ratings.dat", rows, "::")
    films = [(i, f"Amélie: the {i}th (2001)", "|".join(rng.sample(["Drama", "War", "Crime"], 2))) for i in range(1, 39)]
    write(folder / "movies.dat", films, "::", encoding="latin-1")
    write(folder / "users.dat", [(i, "F", 25, 4, "55117") for i in range(1, 26)], "::")
    return folder / "ratings.dat"


def movielens_25m(folder: Path, rng: random.Random) -> Path:
    rows = [
        (rng.randint(1, 25), rng.randint(1, 40), rng.choice([0.5, 3.5, 5.0]), 1_147_880_044 + i) for i in range(ROWS)
    ]
    write_csv(folder / "ratings.csv", ["userId", "movieId", "rating", "timestamp"], rows)
    genres = ["Adventure|Children", "(no genres listed)", "Comedy"]
    films = [(i, f'American "President", The {i} (1995)', genres[i % 3]) for i in range(1, 41)]
    write_csv(folder / "movies.csv", ["movieId", "title", "genres"], films)
    write_csv(folder / "tags.csv", ["userId", "movieId", "tag", "timestamp"], [(1, 1, "x, y", 1_147_880_044)])
    return folder


def amazon_2014(folder: Path, rng: random.Random) -> Path:
    reviews = [
        {
            "reviewerID": f"A{rng.randint(1, 25):013d}",
            "asin": f"B{rng.randint(1, 30):09d}",
            "reviewerName": 'J. "Mac" Donald',
            "helpful": [2, 3],
            "reviewText": "Line one,\nline two",
            "overall": float(rng.randint(1, 5)),
            "summary": "Heavenly",
            "unixReviewTime": 1_252_800_000 + 86_400 * (i // 4),
            "reviewTime": "09 13, 2009",
        }
        for i in range(ROWS)
    ]
    del reviews[3]["reviewerID"]
    write_lines(folder / "reviews_Toys_5.json.gz", reviews)
    products = [
        {
            "asin": f"B{i:09d}",
            "title": f"Kid's {i}",
            "price": 3.17,
            "categories": [["Toys", f"Dolls {i % 4}"], ["Other"]],
        }
        for i in range(1, 31)
    ]
    write_lines(folder / "meta_Toys.json.gz", products, repr)  # Python, not JSON
    return folder


def amazon_2014_ratings(folder: Path, rng: random.Random) -> Path:
    rows = [
        (
            f"A{rng.randint(1, 25):013X}",
            f"B{rng.randint(1, 30):09d}",
            float(rng.randint(1, 5)),
            1_365_811_200 + 86_400 * i,
        )
        for i in range(ROWS)
    ]
    write(folder / "ratings_Books.csv", rows)
    return folder / "ratings_Books.csv"


def amazon_2018(folder: Path, rng: random.Random) -> Path:
    reviews = [
        {
            "overall": float(rng.randint(1, 5)),
            "verified": rng.random() < 0.8,
            "reviewTime": "11 9, 2017",
            "reviewerID": f"A{rng.randint(1, 25):013d}",
            "asin": f"0{rng.randint(1, 30):09d}",
            "style": {"Size:": " Large"},
            "reviewText": "ok",
            "unixReviewTime": 1_510_185_600 + 86_400 * i,
            "vote": "3",
        }
        for i in range(ROWS - 10)
    ]
    write_lines(folder / "Gift_Cards.json", reviews + reviews[:10])  # some reviews stand there twice
    products = [
        {
            "asin": f"0{i:09d}",
            "title": f"Card {i}",
            "category": ["Gift", f"Kind {i % 3}"],
            "brand": "acme",
            "price": "$25.00",
        }
        for i in range(1, 31)
    ]
    products[0]["price"] = ".a-box-inner{background-color:#fff}"  # as the real files have it
    write_lines(folder / "meta_Gift_Cards.json", products)
    return folder


def amazon_2018_ratings(folder: Path, rng: random.Random) -> Path:
    rows = [
        (
            f"000{rng.randint(1, 30):07d}",
            f"A{rng.randint(1, 25):013X}",
            float(rng.randint(1, 5)),
            1_510_185_600 + i * 86_400,
        )
        for i in range(ROWS)
    ]
    write(folder / "All_Beauty.csv", rows)
    return folder / "All_Beauty.csv"


def amazon_2023(folder: Path, rng: random.Random) -> Path:
    reviews = [
        {
            "rating": float(rng.randint(1, 5)),
            "title": "Five stars",
            "text": 'made up, "quoted"\nline',
            "images": [],
            "asin": f"B{i:09d}",
            "parent_asin": f"B{rng.randint(1, 30):09d}",
            "user_id": f"AX{rng.randint(1, 25):026d}",
            "timestamp": 1_588_687_728_923 + i * 10_000_001,
            "helpful_vote": 0,
            "verified_purchase": True,
        }
        for i in range(ROWS)
    ]
    write_lines(folder / "All_Beauty.jsonl", reviews)
    products = [
        {
            **{
                "main_category": "All Beauty",
                "title": f"Item {i}",
                "price": None if i % 2 else 6.0 + i,
                "store": "Yes",
            },
            **{"categories": [] if i % 5 else ["Beauty", "Skin"], "parent_asin": f"B{i:09d}", "details": {"Size": "1"}},
        }
        for i in range(1, 31)
    ]
    write_lines(folder / "meta_All_Beauty.jsonl", products)
    return folder / "All_Beauty.jsonl"


def amazon_2023_ratings(folder: Path, rng: random.Random) -> Path:
    rows = [
        (
            f"AX{rng.randint(1, 25):026d}",
            f"B{rng.randint(1, 30):09d}",
            float(rng.randint(1, 5)),
            1_588_687_728_923 + i * 977,
        )
        for i in range(ROWS)
    ]
    write_csv(folder / "Software.csv", ["user_id", "parent_asin", "rating", "timestamp"], rows)
    return folder / "Software.csv"


def recbole(folder: Path, rng: random.Random) -> Path:
    rows = [
        (rng.randint(1, 25), f"i{rng.randint(1, 40)}", float(rng.randint(1, 5)), f"{880_000_000 + i * 977}.0")
        for i in range(ROWS)
    ]
    write(folder / "toy.inter", rows, "\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float")
    films = [(f"i{i}", f'Film "{i}', "1995", f"Kind{i % 4} Other") for i in range(1, 41)]
    write(folder / "toy.item", films, "\t", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq")
    return folder


def read_movielens_100k(folder: Path) -> Iterator[Row]:
    genre = {cells[0]: cells[5:].index("1") for cells in split(folder / "u.item", "|", "latin-1")}
    for cells in split(folder / "u.data", "\t"):
        yield Row(cells[0], cells[1], "rating", int(cells[3]), genre[cells[1]], same=tuple(cells))


def read_movielens_1m(folder: Path) -> Iterator[Row]:
    genre = {cells[0]: cells[2].split("|")[0] for cells in split(folder / "movies.dat", "::", "latin-1")}
    for cells in split(folder / "ratings.dat", "::"):
        yield Row(cells[0], cells[1], "rating", int(cells[3]), genre.get(cells[1]), same=tuple(cells))


def read_movielens_25m(folder: Path) -> Iterator[Row]:
    genre = {row["movieId"]: row["genres"].split("|")[0] for row in dicts(folder / "movies.csv")}
    genre = {film: "" if name.startswith("(no") else name for film, name in genre.items()}
    for row in dicts(folder / "ratings.csv"):
        at, interest = int(row["timestamp"]), genre[row["movieId"]]
        yield Row(row["userId"], row["movieId"], "rating", at, interest, same=tuple(row.values()))


def read_amazon(reviews: str, meta: str, parse: Callable[[str], Any], keys: tuple[str, str, str, str]) -> Any:
    def rows(folder: Path) -> Iterator[Row]:
        user, item, time, path = keys
        products = {p["parent_asin" if "parent_asin" in p else "asin"]: p for p in json_lines(folder / meta, parse)}
        for review in json_lines(folder / reviews):
            product = products[review[item]]
            levels = product[path][0] if product[path] and isinstance(product[path][0], list) else product[path]
            interest = levels[1] if len(levels) > 1 else product.get("main_category")
            key = tuple(review.get(name) for name in (user, item, time, "overall", "rating", "asin"))
            at = review[time] // 1000 if review[time] > 10**11 else review[time]
            yield Row(review.get(user), review[item], "rating", at, interest, same=key)

    return rows


def read_ratings(file: str, user: int, item: int, header: int = 0) -> Any:
    def rows(folder: Path) -> Iterator[Row]:
        with (folder / file).open(newline="") as lines:
            for cells in list(csv.reader(lines))[header:]:
                at = int(cells[3]) // (1000 if len(cells[3]) > 10 else 1)
                yield Row(cells[user], cells[item], "rating", at, same=tuple(cells))

    return rows


def read_recbole(folder: Path) -> Iterator[Row]:
    kind = {cells[0]: cells[3] for cells in split(folder / "toy.item", "\t")}
    for cells in split(folder / "toy.inter", "\t")[1:]:
        yield Row(cells[0], cells[1], "rating", int(float(cells[3])), kind[cells[1]], same=tuple(cells))
