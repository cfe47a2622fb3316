"""What is read of households."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.context.demographics import read_demographics


def test_words_of_few_values_are_read(tmp_path):
    table = pl.DataFrame(
        {
            "household_id": list(range(30)),
            "age": ["19-24", "25-34", None] * 10,
            "same": ["x"] * 30,
            "name": [f"n{at}" for at in range(30)],
        }
    )
    table.write_parquet(tmp_path / "demographics.parquet")
    read = read_demographics(ConfigDict({"source": str(tmp_path)}))
    assert read.columns == ["user", "age"]
    assert read["user"].to_list() == list(range(30))
    table.rename({"household_id": "user_id"}).write_parquet(tmp_path / "users.parquet")
    (tmp_path / "demographics.parquet").unlink()
    assert read_demographics(ConfigDict({"source": str(tmp_path)})).equals(read)


def test_a_log_without_them_has_none(tmp_path):
    assert read_demographics(ConfigDict({"source": str(tmp_path)})) is None
    pl.DataFrame({"user_id": [1, 2]}).write_parquet(tmp_path / "users.parquet")
    assert read_demographics(ConfigDict({"source": str(tmp_path)})) is None
