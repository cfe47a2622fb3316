"""Interests: levels of lists of categories, and columns that could be them."""

import json
from pathlib import Path

import pytest

from tests.raw_logs import from_text, notes, settings
from trajectory.data.ingest.log import read_log
from trajectory.schema import EventLog


def with_lists(folder: Path, *categories: list[str]) -> EventLog:
    """Two users who meet an item for each list of categories."""
    rows = [
        {"user_id": user, "item_id": f"i{item}", "timestamp": 1_700_000_000 + item, "category": entries}
        for user in ("a", "b")
        for item, entries in enumerate(categories)
    ]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return read_log(settings(folder / "log.jsonl"))


@pytest.mark.parametrize(
    ("categories", "read"),
    [
        ([["Home", "Bath"], ["Home", "Bed"], ["Home", "Bed"]], ["Bath", "Bed", "Bed"]),
        ([["Home", "Bath"], ["Garden", "Bed"]], ["Home", "Garden"]),
        ([["Shop", "Home", "Bath"], ["Shop", "Home", "Bed"], ["Shop", "Home"]], ["Bath", "Bed", "Home"]),
    ],
)
def test_of_lists_the_first_level_that_differs_is_read(
    tmp_path: Path, categories: list[list[str]], read: list[str]
) -> None:
    log = with_lists(tmp_path, *categories)
    assert log.items is not None
    assert log.items.sort("item")["category"].to_list() == read
    assert notes(log, "interests") == f"{len(set(read))} values of category"


def test_interests_that_all_items_share_are_asked_about(tmp_path: Path) -> None:
    log = with_lists(tmp_path, ["Home"], ["Home"])
    assert notes(log, "interests") == "category is the same for all items, so interests tell nothing"
    rows = [f"u{i},i{i % 4},all,s{i % 2}" for i in range(12)]
    log = from_text(tmp_path, "\n".join(["user,item,category,section", *rows]) + "\n")
    (note,) = [note for note in log.detected["notes"] if note["topic"] == "interests"]
    assert note["text"].endswith("tell nothing; section could be them")
    assert (note["setting"], note["warning"]) == ("data.interest_column=section", True)


def test_a_column_of_one_value_but_for_a_stray_one_is_not_proposed(tmp_path: Path) -> None:
    rows = [f"u{i % 3},i{i % 5},{'x' if i % 5 else 'y'}" for i in range(20)]
    log = from_text(tmp_path, "\n".join(["user,item,ref", *rows]) + "\n")
    assert notes(log, "interests") == "none: no column is named like 'category'"
