"""Samples of what people hear, read, watch and play: Last.fm, MIND, KuaiRec, KuaiRand, Steam; and what they hold."""

from __future__ import annotations

import ast
import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.data.formats.counting import Row, dicts, json_lines, moment, split
from tests.data.formats.writing import ROWS, clock, write, write_csv, write_lines


def lastfm_1k(folder: Path, rng: random.Random) -> Path:
    rows = []
    for i in range(ROWS):
        track = rng.randint(1, 60)
        time = clock(1_241_478_537 + i * 211, "%Y-%m-%dT%H:%M:%SZ")
        known = f"mbid-{track}" if track % 4 else ""
        rows.append(
            (
                f"user_{rng.randint(1, 20):06d}",
                time,
                f"artist-{track % 9}",
                f'"Weird Al {track % 9}',
                known,
                f'7" Mix {track}',
            )
        )
    lines = ["\t".join(row) for row in rows]
    lines[7] = lines[7].rsplit("\t", 2)[0]  # cut off
    (folder / "userid-timestamp-artid-artname-traid-traname.tsv").write_text("\n".join(lines) + "\n")
    write(
        folder / "userid-profile.tsv",
        [("user_000001", "m", "", "Japan", "Aug 13, 2006")],
        "\t",
        "#id\tgender\tage\tcountry\tregistered",
    )
    return folder


def mind(folder: Path, rng: random.Random) -> Path:
    past = {user: [f"N{rng.randint(1, 50)}" for _ in range(user % 4)] for user in range(1, 16)}
    rows = []
    for i in range(50):
        user = rng.randint(1, 15)
        time = datetime.fromtimestamp(1_573_400_000 + rng.randint(0, 400_000), UTC)
        clock = time.strftime("%m/%d/%Y ").lstrip("0") + f"{time.hour % 12 or 12}:" + time.strftime("%M:%S %p")
        shown = " ".join(f"{news}-{int(rng.random() < 0.2)}" for news in (f"N{n}" for n in rng.sample(range(1, 51), 5)))
        rows.append((i + 1, f"U{user}", clock, " ".join(past[user]), shown))
    write(folder / "behaviors.tsv", rows, "\t")
    news = [
        (f"N{i}", f"kind{i % 6}", f"sub{i % 12}", f'The "{i}', "", "https://x", "[]", '[{"Label": "Q"}]')
        for i in range(1, 51)
    ]
    write(folder / "news.tsv", news, "\t")
    return folder


def kuairec(folder: Path, rng: random.Random) -> Path:
    header = "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio"
    rows = []
    for i in range(ROWS - 6):
        seconds = 1_593_878_903 + i * 911
        rows.append(
            (
                rng.randint(0, 24),
                rng.randint(0, 39),
                5000,
                10000,
                clock(seconds + 28_800) + ".438",
                clock(seconds, "%Y%m%d"),
                f"{seconds}.438",
                0.5,
            )
        )
    write(folder / "big_matrix.csv", rows + rows[:6], header=header)
    write(folder / "small_matrix.csv", rows[:20], header=header)
    write_csv(folder / "item_categories.csv", ["video_id", "feat"], [(i, f"[{i % 5}, 9]") for i in range(40)])
    return folder


def kuairand(folder: Path, rng: random.Random) -> Path:
    header = "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,"
    header += "play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab"
    rows = []
    for i in range(ROWS):
        click = int(rng.random() < 0.5)
        like, hate = int(click and rng.random() < 0.2), int(rng.random() < 0.05)
        rows.append(
            (
                rng.randint(0, 24),
                rng.randint(0, 39),
                20220421,
                400,
                1_650_485_801_301 + i * 90_001,
                click,
                like,
                0,
                0,
                0,
                hate,
                1,
                5000,
                9000,
                0,
                0,
                0,
                int(i >= 250),
                1,
            )
        )
    (folder / "data").mkdir()
    for name, part in (
        ("standard_4_08_to_4_21", rows[:120]),
        ("standard_4_22_to_5_08", rows[120:250]),
        ("random_4_22_to_5_08", rows[250:]),
    ):
        write(folder / "data" / f"log_{name}_pure.csv", part, header=header)
    write_csv(
        folder / "data" / "video_features_basic_pure.csv",
        ["video_id", "author_id", "video_type", "tag"],
        [(i, 1, "NORMAL", f"{i % 6},65" if i % 7 else "") for i in range(40)],
    )
    return folder


def steam_libraries(folder: Path, rng: random.Random) -> Path:
    records, left = [], ROWS
    while left:
        count = min(left, rng.randint(0, 15))
        left -= max(count, 1)
        user = f"7656119{len(records):010d}"
        games = [
            {"item_id": str(10 * item), "item_name": f"Tom's {item}", "playtime_forever": 6, "playtime_2weeks": 0}
            for item in rng.sample(range(1, 61), count)
        ]
        records.append(
            {"user_id": user, "items_count": count, "steam_id": user, "user_url": "http://x", "items": games}
        )
    write_lines(folder / "australian_users_items.json.gz", records, repr)
    return folder / "australian_users_items.json.gz"


def steam_reviews(folder: Path, rng: random.Random) -> Path:
    reviews = [
        {
            **{
                "username": f'Chief "{rng.randint(1, 25)}" O\'Neil',
                "hours": 10.2,
                "product_id": str(10 * rng.randint(1, 40)),
            },
            **{"page_order": 0, "date": clock(1_500_000_000 + i * 86_400, "%Y-%m-%d"), "text": "ok\nfun", "page": 1},
        }
        for i in range(ROWS)
    ]
    write_lines(folder / "steam_reviews.json.gz", reviews, lambda review: "{u'" + repr(review)[2:])  # of Python 2
    return folder / "steam_reviews.json.gz"


def steam_australian_reviews(folder: Path, rng: random.Random) -> Path:
    records = []
    for user in range(50):
        days = [clock(1_300_000_000 + (user * 6 + i) * 86_400, "%B %d, %Y.") for i in range(6)]
        reviews = [
            {
                "funny": "",
                "posted": f"Posted {day}",
                "item_id": str(10 * rng.randint(1, 40)),
                "recommend": rng.random() < 0.8,
            }
            for day in days
        ]
        records.append({"user_id": f"u{user}", "user_url": "http://x", "reviews": reviews})
    records[0]["reviews"][0]["posted"] = "Posted July 15."  # of the year of the crawl
    write_lines(folder / "australian_user_reviews.json", records, repr)
    return folder / "australian_user_reviews.json"


def steam_200k(folder: Path, rng: random.Random) -> Path:
    rows = []
    for user in range(1, 26):
        for item in rng.sample(range(1, 41), 6):
            name = f'"Game, {item}"' if item % 5 == 0 else f"Game {item}"
            rows += [
                (151_603_700 + user, name, "purchase", "1.0", 0),
                (151_603_700 + user, name, "play", f"{item}.5", 0),
            ]
    write(folder / "steam-200k.csv", rows)
    return folder / "steam-200k.csv"


def read_lastfm(folder: Path) -> Iterator[Row]:
    for cells in split(folder / "userid-timestamp-artid-artname-traid-traname.tsv", "\t"):
        if len(cells) != 6:
            yield Row(None, None, "play", aside="malformed row")
        else:
            at, item = moment(cells[1], "%Y-%m-%dT%H:%M:%SZ"), cells[4] or f"{cells[3]} - {cells[5]}"
            yield Row(cells[0], item, "play", at, cells[3], same=tuple(cells))


def read_mind(folder: Path) -> Iterator[Row]:
    category = {cells[0]: cells[1] for cells in split(folder / "news.tsv", "\t")}
    met = set()
    for _, user, time, history, shown in split(folder / "behaviors.tsv", "\t"):
        if user not in met:
            met.add(user)
            for news in history.split():
                yield Row(user, news, "click", None, category[news])
        for news in shown.split(" "):
            event_type = "click" if news.endswith("-1") else "impression"
            yield Row(user, news[:-2], event_type, moment(time, "%m/%d/%Y %I:%M:%S %p"), category[news[:-2]])


def read_kuairec(folder: Path) -> Iterator[Row]:
    tag = {row["video_id"]: ast.literal_eval(row["feat"])[0] for row in dicts(folder / "item_categories.csv")}
    for row in dicts(folder / "big_matrix.csv"):
        at, interest = int(float(row["timestamp"])), tag[row["video_id"]]
        yield Row(row["user_id"], row["video_id"], "view", at, interest, same=tuple(row.values()))


def read_kuairand(folder: Path) -> Iterator[Row]:
    tag = {row["video_id"]: row["tag"].split(",")[0] for row in dicts(folder / "data/video_features_basic_pure.csv")}
    for part in ("random_4_22_to_5_08", "standard_4_08_to_4_21", "standard_4_22_to_5_08"):
        for row in dicts(folder / f"data/log_{part}_pure.csv"):
            signals = (("is_hate", "low_rating"), ("is_like", "favorite"), ("is_click", "click"))
            event_type = next((meaning for name, meaning in signals if row[name] == "1"), "impression")
            at, interest = int(row["time_ms"]) // 1000, tag[row["video_id"]]
            yield Row(row["user_id"], row["video_id"], event_type, at, interest, same=tuple(row.values()))


def read_steam(folder: Path) -> Iterator[Row]:
    for record in json_lines(folder / "australian_users_items.json.gz", ast.literal_eval):
        for item in record["items"] or [{}]:
            same = (record["user_id"], item.get("item_id"))
            yield Row(record["user_id"], item.get("item_id"), "purchase", same=same)


def read_steam_reviews(folder: Path) -> Iterator[Row]:
    for review in json_lines(folder / "steam_reviews.json.gz", ast.literal_eval):
        at, same = moment(review["date"], "%Y-%m-%d"), (review["username"], review["product_id"], review["date"])
        yield Row(review["username"], review["product_id"], "rating", at, same=same)


def read_australian_reviews(folder: Path) -> Iterator[Row]:
    for record in json_lines(folder / "australian_user_reviews.json", ast.literal_eval):
        for review in record["reviews"]:
            event_type = "rating" if review["recommend"] else "low_rating"
            dated = "," in review["posted"]
            at = moment(review["posted"], "Posted %B %d, %Y.") if dated else None
            yield Row(record["user_id"], review["item_id"], event_type, at, aside="" if dated else "missing time")


def read_steam_200k(folder: Path) -> Iterator[Row]:
    with (folder / "steam-200k.csv").open(newline="") as lines:
        for cells in csv.reader(lines):
            yield Row(cells[0], cells[1], cells[2], same=tuple(cells))
