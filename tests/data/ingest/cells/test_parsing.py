"""Ids and names of unusual forms and types."""

from pathlib import Path

import polars as pl
import pytest

from tests.raw_logs import T0, from_frame, from_text, notes
from trajectory.schema import UserError


def test_texts_of_other_types_mean_the_same(tmp_path: Path) -> None:
    rows = {"user": ["NA", "a"], "item": ["1.0", "x"], "time": ["14/11/2023", "NA"], "price": ["$2", "3"]}
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows, pl.Categorical))
    log = from_frame(tmp_path, frame)
    values = log.events.select("user", "item", "time", "value").rows()
    assert values == [(None, "1", T0 - T0 % 86_400, 2), ("a", "x", None, 3)]
    assert log.detected["missing"][0] == {"column": "user", "word": "NA", "rows": 1}


def test_ids_that_differ_by_the_point_of_a_float_are_one(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item\n1000,1\n1000.0,1\nguest,1\n007,1\n7,1\n\ufeff\u200b,1\n")
    assert log.events["user"].to_list() == ["1000", "1000", "guest", "007", "7", None]
    assert from_text(tmp_path, "user,item\n1٣,1\n12,1\n").events["user"].to_list() == ["1٣", "12"]


def test_ids_that_a_spreadsheet_has_rounded_are_warned_of(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item\n1.23457E+12,1\n1.23457E+12,2\nx,3\n")
    assert "2 in user are numbers that a spreadsheet has rounded" in notes(log, "ids")


def test_ids_of_unusual_types(tmp_path: Path) -> None:
    for cells in (pl.Series([1e19, 2e19]), pl.Series([b"a", b"\xff"]), pl.Series([True, False])):
        assert from_frame(tmp_path, pl.DataFrame({"user": cells, "item": [1, 2]})).events["user"].n_unique() == 2
    whole = pl.Series(["1", "2"]).cast(pl.Decimal(10, 0))
    assert from_frame(tmp_path, pl.DataFrame({"user": whole, "item": [1, 2]})).events["user"].to_list() == [1, 2]
    with pytest.raises(UserError, match=r"'user' holds lists or records, such as \[1, 2\]"):
        from_frame(tmp_path, pl.DataFrame({"user": [[1, 2]], "item": [1]}))


def test_columns_that_could_be_the_user_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"it could be who \(2 values\); set data.columns.user"):
        from_text(tmp_path, "who,item\na,1\nb,2\na,3\n")


def test_long_and_unseen_names_are_shortened_and_said(tmp_path: Path) -> None:
    log = from_text(tmp_path, f"user,item,category\n1,a,{'x' * 5000}\n1,b,te\u202ea\x07\n")
    assert log.items is not None
    long, plain = log.items["category"].to_list()
    assert (len(long), plain) == (200, "tea")
    assert "clipped to 200" in notes(log, "names")
