"""Tables inside a page hold what they were made of, rounded no more than is said."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import date

import polars as pl

from trajectory.reports.packed import flat, packed


def unpacked(text: str) -> dict:
    held = json.loads(gzip.decompress(base64.b64decode(text)))
    columns = [of.get("values") or [None if i is None else of["words"][i] for i in of["at"]] for of in held["columns"]]
    return dict(zip(held["names"], columns, strict=True))


def test_money_keeps_its_hundredths_and_chances_three_digits():
    table = pl.DataFrame(
        {
            "spend": [1_234_567.89, 12_849.634, 3.0, None],
            "chance": [0.123456, 0.00012345, float("nan"), 1.0],
            "kind": ["a", "a", None, "a"],
            "name": ["x", "y", "z", None],
            "day": [date(2024, 1, 1)] * 4,
            "again": [True, False, None, True],
            "count": [1, 2, None, 2_000_000],
        }
    )
    found = unpacked(packed(table))
    assert found["spend"] == [1_234_567.89, 12_849.63, 3, None]
    assert found["chance"] == [0.123, 0.000123, None, 1]
    for name in ("kind", "name", "again", "count"):
        assert found[name] == table[name].to_list()
    assert found["day"] == ["2024-01-01"] * 4
    assert packed(table) == packed(table)


def test_lists_are_one_cell():
    assert flat(pl.DataFrame({"why": [["a", "b"], []]}))["why"].to_list() == ["a; b", ""]
