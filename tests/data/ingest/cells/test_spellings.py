"""Ids that differ by upper and lower case only."""

from pathlib import Path
from unittest import mock

import polars as pl

from tests.raw_logs import from_frame, from_text, settings
from trajectory.data.files import stack
from trajectory.data.ingest.log import read_log

LOG = "user_id,item_id\nann@x.com,SKU-1\nAnn@X.com,sku-1\nann@x.com,SKU-1\nbob@x.com,Sku-2\n"


def test_spellings_are_said_with_the_setting_that_makes_them_one(tmp_path: Path) -> None:
    users, items = [note for note in from_text(tmp_path, LOG).detected["notes"] if note["warning"]]
    assert users["text"] == "2 in user_id are 1 but for upper and lower case, such as 'ann@x.com' and 'Ann@X.com'"
    assert items["text"].endswith("'SKU-1' and 'sku-1'")
    assert users["setting"].startswith("data.fold_case=True")
    log = from_text(tmp_path, LOG, fold_case=True)
    assert log.events["user"].to_list() == ["ann@x.com"] * 3 + ["bob@x.com"]
    assert log.events["item"].to_list() == ["SKU-1"] * 3 + ["Sku-2"]
    assert not any(note["warning"] for note in log.detected["notes"])


def test_spellings_of_a_large_log_are_folded_alike(tmp_path: Path) -> None:
    with mock.patch.object(stack, "LARGE", 0):
        log = from_text(tmp_path, LOG, fold_case=True)
    assert log.events["user"].cast(str).to_list() == ["ann@x.com"] * 3 + ["bob@x.com"]


def test_an_item_table_in_another_case_describes_the_log(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id\n1,SKU-1\n2,SKU-2\n")
    (tmp_path / "items.csv").write_text("item_id,category\nsku-1,Tea\nSku-2,Milk\n")
    log = read_log(settings(tmp_path))
    assert log.items is not None
    assert log.items.select("item", "category").rows() == [("SKU-1", "Tea"), ("SKU-2", "Milk")]


def test_ids_that_differ_by_leading_zeros_are_said_and_folded_alike(tmp_path: Path) -> None:
    text = "user_id,item_id\na,00012\nb,12\na,B7\nb,007\n"
    (note,) = [note for note in from_text(tmp_path, text).detected["notes"] if note["warning"]]
    assert note["text"] == "2 in item_id are 1 but for leading zeros, such as '00012' and '12'"
    assert from_text(tmp_path, text, fold_case=True).events["item"].to_list() == ["00012", "00012", "B7", "007"]


def test_cells_that_a_spreadsheet_shall_show_as_text_are_read_as_what_they_show(tmp_path: Path) -> None:
    log = from_text(tmp_path, 'user_id,item_id\n="001","=""0002"""\n="002","=""0003"""\n')
    assert log.events.select("user", "item").rows() == [("001", "0002"), ("002", "0003")]
    assert any('cells such as ="00012" are read as what they show' in note["text"] for note in log.detected["notes"])


def test_ids_of_bytes_are_texts_or_all_in_hexadecimal(tmp_path: Path) -> None:
    numbers = [(i).to_bytes(16, "big") for i in (1, 70, 255)]  # the first two are UTF-8, of control characters
    frame = pl.DataFrame({"user_id": numbers[:2] + numbers[:1], "item_id": [b"tea", b"milk", b"tea"]})
    log = from_frame(tmp_path, frame)
    assert log.events["user"].to_list() == [number.hex() for number in numbers[:2] + numbers[:1]]
    assert log.events["item"].to_list() == ["tea", "milk", "tea"]
    (note,) = [note["text"] for note in log.detected["notes"] if "hexadecimal" in note["text"]]
    assert note.startswith("user_id holds bytes that are no text")
