"""The texts of large tables are held as categories: nothing that is understood of a log depends on that."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from trajectory.data.files import stack
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality import quarantine
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.quality.summary import summary
from trajectory.data.store.arrays import COLUMNS, flatten
from trajectory.schema import UserError
from trajectory.settings import base

ROWS = 240
RNG = np.random.default_rng(0)


def some(*words: str) -> list[str]:
    return RNG.choice(np.array(words, object), ROWS).tolist()


USERS = some(*(f"u{i}" for i in range(30)), "NA", " u3 ", "u4\u200b", "", "007", "7.0")
ITEMS = some(*(f"i{i:03}" for i in range(12)))
DAYS = [f"2024-03-{1 + i * 28 // ROWS:02} {i % 24:02}:{i % 60:02}:00" for i in range(ROWS)]
PLAIN = {"user_id": USERS, "item_id": ITEMS, "timestamp": DAYS, "event_type": some("view", "Views", "buy", "odd", "NA")}
LOGS = {
    "plain": (PLAIN, {}),
    "unix times": (PLAIN | {"timestamp": np.arange(ROWS) // 2 + 1_700_000_000}, {}),
    "amounts": (PLAIN | {"price": some("$1.50", "2,000.00", "3.00", "none", "free"), "quantity": some("1", "-2")}, {}),
    "plain amounts": (PLAIN | {"price": some("1.50", "2.00", "NA")}, {}),
    "day first": (PLAIN | {"timestamp": [f"{1 + i * 28 // ROWS}/3/2024 10:{i % 60:02}" for i in range(ROWS)]}, {}),
    "date and clock": (
        {**PLAIN, "timestamp": None, "date": [day[:10] for day in DAYS], "hour": [day[11:13] for day in DAYS]},
        {},
    ),
    "unreadable times": (PLAIN | {"timestamp": [*DAYS[:-2], "soon", "soon"]}, {}),
    "items described": (PLAIN | {"category": some("tea", "cups", " ", "NA"), "title": some("A", "B")}, {}),
    "items grouped": (PLAIN | {"category": [f"c{item[-1]}" for item in ITEMS]}, {"item_column": "category"}),
    "baskets": (PLAIN | {"order_id": [f"o{i // 3}" for i in range(ROWS)]}, {"baskets": True}),
    "counted": ({name: [*cells[:100], *cells[:140]] for name, cells in PLAIN.items()}, {"duplicates": "count"}),
    "numbers and words": (PLAIN | {"user_id": some("1", "22", "-", "3.0"), "item_id": some("10", "9", "null")}, {}),
    "labels": (PLAIN | {"label": some("0", "1", "x")}, {}),
    "behaviours": ({"user_id": USERS, "behaviour": some("view tea", "buy tea", "浏览茶", "odd")}, {}),
    "rare": (PLAIN, {"cleaning.min_user_events": 9, "cleaning.max_events_per_day": 4}),
}


def understood(path: Path, changes: dict[str, object]) -> tuple[dict[str, object], str, str]:
    """All that is made of a log, or the error."""
    data: ConfigDict = base().data
    data.update_from_flattened_dict({"source": str(path), **changes})
    try:
        cleaned = clean(read_log(data), data)
        # Times of large tables are datetimes, and called so.
        told = "\n".join(line for line in summary(cleaned).splitlines() if not line.startswith("time "))
        histories = flatten(cleaned, data)
    except UserError as error:
        return {}, "", str(error)
    arrays = {name: getattr(histories, name).tolist() for name in ("offsets", *COLUMNS, "item_interest")}
    tables = {name: getattr(histories, name) for name in ("users", "items", "outside")}
    shown = {name: (table.schema, table.rows()) for name, table in tables.items()}
    return arrays | shown | {"event_types": histories.event_types, "aside": cleaned.quarantine.rows()}, told, ""


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("log", LOGS)
def test_texts_and_categories_are_read_alike(tmp_path, monkeypatch, log, suffix):
    columns, changes = LOGS[log]
    table = pl.DataFrame({name: cells for name, cells in columns.items() if cells is not None})
    path = tmp_path / f"log.{suffix}"
    table.write_csv(path) if suffix == "csv" else table.write_parquet(path)
    expected = understood(path, changes)
    assert expected[0], expected[2]
    monkeypatch.setattr(stack, "LARGE", 0)
    monkeypatch.setattr(quarantine, "_AT_ONCE", 50)
    compare(understood(path, changes), expected)


def test_an_item_table_meets_a_large_log(tmp_path, monkeypatch):
    pl.DataFrame(PLAIN | {"item_id": [f"{int(item[1:]):03}" for item in ITEMS]}).write_parquet(
        tmp_path / "interactions.parquet"
    )
    items = pl.DataFrame({"item_id": [str(i) for i in range(12)], "category": [f"c{i % 3}" for i in range(12)]})
    items.write_parquet(tmp_path / "items.parquet")
    for changes in ({}, {"item_column": "category"}):
        monkeypatch.setattr(stack, "LARGE", 1 << 30)
        expected = understood(tmp_path, changes)
        monkeypatch.setattr(stack, "LARGE", 0)
        compare(understood(tmp_path, changes), expected)


def compare(found, expected) -> None:
    assert found[1:] == expected[1:]
    for name, values in expected[0].items():
        np.testing.assert_equal(found[0][name], values, name)
