"""A data frame is a log like any file: of whatever library, cleaned alike, and said to be one."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.source.data_frames import as_path, as_table, source_name, write_frame
from trajectory.data.ingest.source.domains import resolve
from trajectory.schema import UserError
from trajectory.settings import base

ROWS = {
    "user": ["a", "a", "a", "b", "b", None],
    "item": ["x", "y", "y", "x", "z", "z"],
    "time": [
        "2024-03-01 10:00",
        "2024-03-02 10:00",
        "2024-03-02 10:00",
        "never",
        "2024-03-03 11:30",
        "2024-03-04 09:00",
    ],
    "price": [1.5, 2.0, 2.0, 1.5, 4.0, 4.0],
}
FRAMES = {
    "polars": pl.DataFrame(ROWS),
    "lazy": pl.LazyFrame(ROWS),
    "pandas": pd.DataFrame(ROWS),
    "arrow": pl.DataFrame(ROWS).to_arrow(),
}


def cleaned(path):
    data = base().data
    data.source = str(path)
    data = resolve(data)
    return clean(read_log(data), data)


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_of_any_library_is_cleaned_as_a_file_of_its_rows(tmp_path, kind):
    file = tmp_path / "log.csv"
    pl.DataFrame(ROWS).write_csv(file)
    one, other = cleaned(file), cleaned(write_frame(FRAMES[kind], tmp_path / "frames"))
    columns = ["source_line", "user", "item", "time", "value"]
    assert other.events.select(columns).equals(one.events.select(columns))
    assert other.counts == one.counts
    assert set(other.counts) == {"missing user", "unparsable time", "duplicate"}
    assert other.folded == one.folded
    assert [note["text"] for note in other.log.detected["notes"]] == [
        note["text"] for note in one.log.detected["notes"]
    ]


def test_what_is_said_of_it_names_a_data_frame(tmp_path):
    path = write_frame(FRAMES["polars"], tmp_path)
    assert source_name(path) == "a data frame of 6 rows"
    assert cleaned(path).log.detected["source"] == "a data frame of 6 rows"
    assert source_name(write_frame(pl.DataFrame({"user": [1]}), tmp_path)) == "a data frame of 1 row"
    assert source_name(tmp_path / "log.csv") == str(tmp_path / "log.csv")


def test_equal_frames_have_one_name_and_others_another(tmp_path):
    one, same = write_frame(FRAMES["polars"], tmp_path), write_frame(FRAMES["polars"].clone(), tmp_path)
    other = write_frame(FRAMES["polars"].head(4), tmp_path)
    assert one == same != other


def test_a_frame_of_items_lies_beside_the_log(tmp_path):
    items = pd.DataFrame({"item": ["x", "y", "z"], "title": ["Tea", "Milk", "Rice"], "category": ["d", "d", "f"]})
    path = write_frame(FRAMES["polars"], tmp_path, items)
    log = read_log(resolve_settings(path))
    assert log.detected["source"] == "a data frame of 6 rows"
    assert log.items.sort("item")["title"].to_list() == ["Tea", "Milk", "Rice"]
    assert write_frame(FRAMES["pandas"], tmp_path, items).parent == path.parent


def resolve_settings(path):
    data = base().data
    data.source = str(path)
    return resolve(data)


def test_a_frame_that_was_a_log_by_itself_stays_one_when_it_gets_items(tmp_path):
    alone = write_frame(FRAMES["polars"], tmp_path)
    both = write_frame(FRAMES["polars"], tmp_path, pl.DataFrame({"item": ["x", "y"], "title": ["X", "Y"]}))
    assert alone.is_file(), "a run that was trained on it reads it again"
    assert cleaned(alone).events.height == cleaned(both).events.height


def test_types_of_a_frame_need_no_reading(tmp_path):
    frame = pd.DataFrame(
        {
            "user": pd.Categorical(["u", "v", "u"]),
            "item": [7, 8, 7],
            "time": pd.to_datetime(["2024-03-01 10:00", "2024-03-01 11:00", "2024-03-01 12:00"]),
        }
    )
    events = cleaned(write_frame(frame, tmp_path)).events
    assert events["item"].to_list() == [7, 8, 7]
    assert np.diff(events["time"].to_numpy()).tolist() == [3600, 3600]


def test_a_named_index_is_a_column_and_row_numbers_are_none():
    frame = pd.DataFrame(ROWS)
    assert as_table(frame[frame["user"] == "b"]).columns == list(ROWS)
    assert set(as_table(frame.set_index("user")).columns) == set(ROWS)


def test_a_path_stays_as_it_is_and_a_frame_leaves_nothing_behind(tmp_path):
    with as_path(tmp_path / "log.csv") as path:
        assert path == tmp_path / "log.csv"
    with as_path(FRAMES["arrow"]) as path:
        assert pl.read_parquet(path).equals(FRAMES["polars"])
    assert not path.exists()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ([1, 2], "expected a polars or pandas data frame, a PyArrow table or a path, got list"),
        (pd.DataFrame([[1, 2]], columns=["user", "user"]), "name of its own"),
        (pd.DataFrame({"user": [1, "a"]}), "values of one type"),
        (pl.DataFrame({"user": pl.Series([object()], dtype=pl.Object)}), "column user .* Python objects"),
    ],
)
def test_what_is_no_table_is_refused(frame, said):
    with pytest.raises(UserError, match=said):
        as_table(frame)
