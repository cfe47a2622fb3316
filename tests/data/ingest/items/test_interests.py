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


NAMES = (
    *("Warengruppe", "Product Group", "Catégorie", "Famille", "Categoría", "Categoria do produto", "productgroep"),
    *("Varugrupp", "Grupa towarowa", "Категория", "ürün kategorisi", "カテゴリ", "카테고리", "商品分类", "Danh mục"),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("beside", [True, False])
def test_interests_have_names_of_many_languages(tmp_path: Path, name: str, beside: bool) -> None:
    items = [f"i{item},{'tea' if item % 2 else 'mug'}" for item in range(6)]
    if beside:
        (tmp_path / "interactions.csv").write_text("user,item\n" + "".join(f"u,i{item}\n" for item in range(6)))
        (tmp_path / "items.csv").write_text("\n".join([f"item,{name}", *items]) + "\n", encoding="utf-8")
        log = read_log(settings(tmp_path))
    else:
        log = from_text(tmp_path, "\n".join([f"user,item,{name}", *(f"u,{item}" for item in items)]) + "\n")
    assert notes(log, "interests") == f"2 values of {name}"


def test_columns_of_an_item_table_are_proposed(tmp_path: Path) -> None:
    rows = [f"i{item},{'tea' if item % 2 else 'mug'},name {item},{item % 2 + 1}.5" for item in range(6)]
    (tmp_path / "interactions.csv").write_text("user,item\n" + "".join(f"u,i{item}\n" for item in range(6)))
    (tmp_path / "items.csv").write_text("\n".join(["item,world,text,weight", *rows]) + "\n")
    (note,) = [note for note in read_log(settings(tmp_path)).detected["notes"] if note["topic"] == "interests"]
    assert note["text"] == "none: no column is named like 'category'; world could be them"
    assert (note["setting"], note["warning"]) == ("data.interest_column=world", True)
