"""Equal rows are found however many are compared at once."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.data.ingest.quality import duplicates


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_the_first_of_equal_rows_is_no_repetition(monkeypatch, size):
    monkeypatch.setattr(duplicates, "_AT_ONCE", size)
    hashes = pl.Series(np.random.default_rng(0).integers(0, 50, 300)).hash()
    usable = np.random.default_rng(1).random(300) < 0.8
    seen, expected = set(), []
    for row in np.flatnonzero(usable).tolist():
        if hashes[row] in seen:
            expected.append(row)
        seen.add(hashes[row])
    assert sorted(duplicates.repeated_rows(hashes, usable).tolist()) == expected


def test_an_event_that_was_sent_again_is_one(tmp_path: Path) -> None:
    header = "user_id,item_id,event,time,$insert_id,batch\n"
    sent = ("a,x,buy,2024-01-01,1,7", "a,x,buy,2024-01-01,1,8", "a,x,buy,2024-01-01,2,8")
    rows = "\n".join([*sent, "b,x,view,2024-01-01,3,6"]) + "\n"
    log = from_text(tmp_path, header + rows)
    clean = cleaned(log, tmp_path)
    assert (clean.events.height, clean.counts) == (3, {"duplicate": 1})
    assert "rows of one $insert_id that say the same are one event" in notes(log, "events")
    kept = cleaned(from_text(tmp_path, header + rows, duplicates="keep"), tmp_path, duplicates="keep")
    assert kept.events.height == 4


def test_items_of_one_event_are_several(tmp_path: Path) -> None:
    rows = "a,x,buy,2024-01-01,1\na,y,buy,2024-01-01,1\nb,x,buy,2024-01-01,2\n"
    log = from_text(tmp_path, "user_id,item_id,event,time,event_id\n" + rows)
    assert cleaned(log, tmp_path).events.height == 3
    assert notes(log, "events") == ""
