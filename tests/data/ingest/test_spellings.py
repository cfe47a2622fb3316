"""Ids that differ by upper and lower case only."""

from pathlib import Path
from unittest import mock

from tests.raw_logs import from_text, settings
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
