"""Words that mean that nothing is known."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.data.ingest.quality.summary import summary


def test_missing_words_are_no_users_items_or_event_types(tmp_path: Path) -> None:
    words = ["NA", "NULL", "null", "None", "nan", "NaN", "N/A", "n/a", "#N/A", "\\N", "-", "<NA>", "(null)", " NA "]
    log = from_text(tmp_path, "user,item,brand\n" + "".join(f"{word},{word},x\n" for word in words) + "7,8,NA\n")
    assert log.events["user"].to_list() == [None] * len(words) + [7]
    assert log.events["item"].to_list() == [None] * len(words) + [8]
    assert log.items is not None
    assert log.items["brand"].to_list() == [None]
    assert {"column": "user", "word": "NA", "rows": 2} in log.detected["missing"]
    assert "user: 'NA' 2x" in summary(cleaned(log, tmp_path))


def test_missing_words_can_be_added_and_taken_away(tmp_path: Path) -> None:
    log = from_text(
        tmp_path, "user,item,brand,price\n-1,2,NA,-1\nguest,2,NA,$3\n7,3,x,4\n", missing=("-1", "guest", "!NA")
    )
    assert log.events["user"].to_list() == [None, None, 7]
    assert log.events["value"].to_list() == [-1, 3, 4]
    assert log.items is not None
    assert log.items["brand"].to_list() == ["NA", "x"]


@pytest.mark.parametrize("nobody", ["guest", "0", "-1", "Anonymous"])
def test_a_user_who_is_everyone_unknown_is_warned_of(tmp_path: Path, nobody: str) -> None:
    rows = "".join(f"{nobody if i % 2 else i % 37 + 1},{i % 9}\n" for i in range(400))
    assert f"{nobody!r} has 200 of 400 rows" in notes(from_text(tmp_path, "user,item\n" + rows), "users")
    few = "".join(f"{i % 37 or nobody},{i % 9}\n" for i in range(400))
    assert bool(notes(from_text(tmp_path, "user,item\n" + few), "users")) == (nobody != "0")  # 0 may be a number


def test_words_for_nobody_are_warned_of_however_few_their_events(tmp_path: Path) -> None:
    rows = "".join(f"{user},x\n" for user in ("u1", "u2", "u3", "Guest User", "Gast", "Gast", "0", "-1"))
    found = from_text(tmp_path, "user,item\n" + rows).detected["notes"]
    (note,) = [note for note in found if note["topic"] == "users"]
    assert note["text"].startswith("'Gast' has 2, '-1' has 1, '0' has 1, 'Guest User' has 1 of 8 rows")
    assert note["setting"] == "data.missing=Gast,-1,0,Guest User"
    words = tuple(note["setting"].removeprefix("data.missing=").split(","))
    log = from_text(tmp_path, "user,item\n" + rows, missing=words)
    assert log.events["user"].drop_nulls().to_list() == ["u1", "u2", "u3"]
