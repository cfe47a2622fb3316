"""Columns of any name that tell, by what they hold, that a sale was taken back are asked about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from trajectory.data.ingest.log import read_log
from trajectory.settings import base


def asked(folder: Path, log: pl.DataFrame) -> list[str]:
    path = folder / "log.csv"
    log.write_csv(path)
    data = base().data
    data.source = str(path)
    notes = read_log(data).detected["notes"]
    return [
        f"{note['text']} [{note['setting']}]" for note in notes if note["warning"] and "is not read" in note["text"]
    ]


def sales(rows: int = 400) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "customer": [f"c{i}" for i in rng.integers(60, size=rows)],
            "sku": [f"a{i}" for i in rng.integers(90, size=rows)],
            "date": [f"2024-{1 + i * 9 // rows:02}-{1 + i % 28:02}" for i in range(rows)],
            "quantity": rng.integers(1, 4, rows),
            "amount": np.round(rng.uniform(2, 50, rows), 2),
        }
    )


def with_credit_notes(log: pl.DataFrame) -> pl.DataFrame:
    """Every tenth line comes again some lines later, with an amount above 0, as another kind of paper."""
    papers = log.with_columns(xyz=pl.lit("Aa")).with_row_index("row")
    notes = papers.gather_every(10).with_columns(pl.col("row") + 20, xyz=pl.lit("Bb"))
    return pl.concat([papers, notes]).sort("row", maintain_order=True).drop("row")


def test_a_word_whose_rows_repeat_earlier_sales_is_asked_about(tmp_path: Path) -> None:
    (said,) = asked(tmp_path, with_credit_notes(sales()))
    assert "xyz is not read, and 40 of the 40 rows with 'Bb' repeat an earlier sale" in said
    assert "data.columns.event_type=xyz with data.event_type_map={'Aa': 'purchase', 'Bb': 'return'}" in said


def test_what_is_the_same_in_all_rows_of_a_user_or_repeats_nothing_is_not(tmp_path: Path) -> None:
    log = sales()
    of_user = log.with_columns(xyz=pl.when(pl.col("customer") < "c2").then(pl.lit("Bb")).otherwise(pl.lit("Aa")))
    assert not asked(tmp_path, of_user)
    anywhere = log.with_columns(xyz=pl.Series(["Aa", "Aa", "Aa", "Bb"] * 100))
    assert not asked(tmp_path, anywhere)


@pytest.mark.parametrize(
    ("back", "told"),
    [
        (lambda pieces, some: np.where(some, 1, 0), True),
        (lambda pieces, some: np.where(some, pieces, 0), True),
        (lambda pieces, some: np.where(some, pieces + 1, 0), False),  # more than were sold
        (lambda pieces, some: np.where(some, 0.5, 0), False),
        (lambda pieces, some: np.where(some, 0, 1), False),  # nearly always
    ],
)
def test_numbers_that_are_mostly_0_and_never_above_the_pieces_are_asked_about(tmp_path: Path, back, told) -> None:
    log = sales()
    some = np.arange(log.height) % 10 == 0
    said = asked(tmp_path, log.with_columns(xyz=pl.Series(back(log["quantity"].to_numpy(), some))))
    assert ["above 0 in 40 of 400 sales, and never above the pieces" in text for text in said] == [True] * told
