"""The histories as a TFDS data set: what others read there is what we hold, at any size and without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tensorflow_datasets as tfds

from tests.builders import make_histories
from trajectory.data.store import tfds_store
from trajectory.data.store.arrays import COLUMNS
from trajectory.schema import Histories

LENGTHS = [1, 2, 7, 1, 1, 30, 2, 4, 4, 1]


def histories_of(users: pl.Series | None = None) -> Histories:
    rng = np.random.default_rng(0)
    found = make_histories([rng.integers(1, 9, length).tolist() for length in LENGTHS], num_items=9)
    events = found.num_events
    changed = {
        "value": rng.random(events).astype(np.float32),
        "time": rng.integers(-(2**40), 2**40, events),
        "features": rng.random((events, 2)).astype(np.float32),
    }
    users = found.users if users is None else pl.DataFrame({"user": users})
    return Histories(**{**vars(found), **changed, "users": users})


def read_back(folder: Path) -> tuple[dict[str, np.ndarray], list[str], np.ndarray]:
    """The flat columns, and the user and length of each piece of a history, by TFDS alone."""
    (home,) = (folder / "stored_histories").iterdir()
    records = list(tfds.builder_from_directory(home).as_data_source("histories"))
    columns = {key: np.concatenate([record[key] for record in records]) for key in COLUMNS if key in records[0]}
    users = [user.decode() for record in records for user in record["user"]]
    return columns, users, np.concatenate([record["length"] for record in records])


@pytest.mark.parametrize("events", [1, 4, 8192])
def test_others_read_the_same_events(tmp_path, monkeypatch, events):
    monkeypatch.setattr(tfds_store, "EVENTS", events)
    monkeypatch.setattr(tfds_store, "_SHARD", 3)
    monkeypatch.setattr(tfds_store, "_AT_ONCE", 2)
    histories = histories_of()
    tfds_store.write_tfds(histories, tmp_path, "2.0.0")
    columns, users, lengths = read_back(tmp_path)
    assert set(columns) == set(COLUMNS)
    for key, values in columns.items():
        np.testing.assert_array_equal(values, getattr(histories, key), key)
        assert values.dtype == COLUMNS[key]
    whole = pl.DataFrame({"user": users, "length": lengths}).group_by("user", maintain_order=True).sum()
    assert whole["user"].to_list() == histories.users["user"].to_list()
    assert whole["length"].to_list() == LENGTHS
    assert len(tfds_store.open_tfds(tmp_path).as_data_source("histories")) == -(-sum(LENGTHS) // events)


def test_numeric_ids_of_users_are_written_as_text(tmp_path):
    tfds_store.write_tfds(histories_of(pl.Series(range(10, 20))), tmp_path, "2.0.0")
    assert read_back(tmp_path)[1] == [str(user) for user in range(10, 20)]


def test_columns_without_width_are_left_out(tmp_path):
    tfds_store.write_tfds(make_histories([[1, 2], [3]]), tmp_path, "2.0.0")
    assert set(read_back(tmp_path)[0]) == set(COLUMNS) - {"features"}


def test_it_needs_no_tensorflow_where_tfds_would_spill_to_disk(tmp_path):
    code = """
import sys
from tensorflow_datasets.core import shuffle
shuffle.MAX_MEM_BUFFER_SIZE = 1000
from pathlib import Path
from tests.builders import make_histories
from trajectory.data.store.tfds_store import write_tfds
write_tfds(make_histories([[1, 2, 3] * 500] * 20), Path(sys.argv[1]), "2.0.0")
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=Path(__file__).parents[3])
    assert len(read_back(tmp_path)[0]["item"]) == 30_000
