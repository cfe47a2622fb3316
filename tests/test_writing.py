"""A file that is written appears whole or not at all, whoever writes beside, and starts nothing in a spreadsheet."""

from __future__ import annotations

import json
import resource
import signal

import numpy as np
import polars as pl
import pytest

from trajectory import faults, writing
from trajectory.reports import charts, pictures

TABLE = pl.DataFrame({"user": [f"u{i}" for i in range(2000)], "chance": np.random.default_rng(0).random(2000)})


def picture(path) -> None:
    pictures.save(charts.bars(TABLE, "user", "chance", "chances"), path)


WRITERS = {
    "a.json": lambda path: writing.write_json({"users": TABLE["user"].to_list()}, path),
    "a.parquet": lambda path: writing.write_parquet(TABLE, path),
    "a.csv": lambda path: writing.write_csv(TABLE, path),
    "a.npz": lambda path: writing.write_arrays({"chance": TABLE["chance"].to_numpy()}, path),
    "a.html": lambda path: writing.write_text("long " * 3000, path),
    "a.png": picture,
}


@pytest.fixture
def full():
    """The disk takes 4 KiB of a file."""
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_good_file_and_nothing_beside_it(name, tmp_path, full):
    path = tmp_path / name
    path.write_text("good")
    with pytest.raises(OSError, match=name) as raised:
        WRITERS[name](path)
    assert path.read_text() == "good"
    assert [file.name for file in tmp_path.iterdir()] == [name]
    said = faults.sentence(raised.value)
    assert name in said
    assert "there is no room" in said


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_there_alone(name, tmp_path):
    WRITERS[name](tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "a.json"
    with writing.atomic_path(path) as one, writing.atomic_path(path) as other:
        one.write_text("[1]")
        other.write_text("[2, 2]")
    assert json.loads(path.read_text()) == [1], "who ends last"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_an_interrupt_leaves_no_part(tmp_path):
    def write() -> None:
        with writing.atomic_path(tmp_path / "a") as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_not_utf8_is_written(tmp_path):
    writing.write_json({"path": "log\udcff.csv"}, tmp_path / "a.json")
    assert b"log\xff.csv" in (tmp_path / "a.json").read_bytes()


def test_cells_that_a_spreadsheet_would_run_are_quoted_and_told(tmp_path, capsys):
    texts = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-5", "+4.5", "-1e5", "a=b", "", None, "'=1"]
    table = pl.DataFrame({"item": texts, "chance": [-0.5] * len(texts)})
    writing.write_csv(table, tmp_path / "a.csv")
    read = pl.read_csv(tmp_path / "a.csv", schema_overrides={"item": pl.String})
    quoted = [f"'{text}" for text in texts[:6]]
    assert read["item"].to_list() == [*quoted, *texts[6:10], "", None, "'=1"]
    assert read["chance"].to_list() == [-0.5] * len(texts), "numbers stay numbers"
    assert "6 cells" in capsys.readouterr().out
    writing.write_csv(TABLE, tmp_path / "a.csv")
    assert not capsys.readouterr().out
    assert pl.read_csv(tmp_path / "a.csv").equals(TABLE)
