"""Segments of users: by activity, or as a file says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.migrations.groups import NONE, by_activity, read_segments
from trajectory.migrations.sessions import sessions_of
from trajectory.schema import UserError

DAY = 24 * 3600


def log(counts):
    return make_histories([[1] * n for n in counts], gap=DAY)


def test_thirds_by_activity_say_their_bounds():
    segment = by_activity(sessions_of(log([1, 2, 3, 4, 5, 6])))
    assert segment.tolist() == ["up to 2 sessions"] * 2 + ["3 to 4 sessions"] * 2 + ["more than 4 sessions"] * 2


def test_users_who_are_all_alike_are_one_segment():
    assert set(by_activity(sessions_of(log([3, 3, 3])))) == {"up to 3 sessions"}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_may_name_them(tmp_path, suffix):
    table = pl.DataFrame({"segment": ["loyal", "new"], "user": ["u2", "u0"]})
    path = tmp_path / f"segments{suffix}"
    table.write_csv(path) if suffix == ".csv" else table.write_parquet(path)
    np.testing.assert_array_equal(read_segments(path, log([1, 1, 1])), ["new", NONE, "loyal"])


def test_ids_that_are_numbers_are_read_as_text(tmp_path):
    path = tmp_path / "segments.csv"
    path.write_text("user,segment\n7,1\n")
    histories = log([1])
    numbered = replace(histories, users=pl.DataFrame({"user": [7]}))
    assert read_segments(path, numbered).tolist() == ["1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,group\nu0,a\n", "lacks the column.*segment"),
        ("user,segment\nu0,a\nu0,b\n", "u0 more than once"),
        ("user,segment\nx,a\n", "none of the 1 users.*x is not, the log has such as u0"),
    ],
)
def test_a_file_that_says_nothing_is_refused(tmp_path, text, said):
    path = tmp_path / "segments.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_segments(path, log([1]))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv does not exist"):
        read_segments(tmp_path / "none.csv", log([1]))
