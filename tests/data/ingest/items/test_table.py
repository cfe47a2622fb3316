"""Item tables that are matched to the log, and interests."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.raw_logs import from_text, notes, settings
from trajectory.data.ingest.items.table import read_items
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.store.arrays import flatten
from trajectory.schema import EventLog, UserError


def with_items(folder: Path, log: str, items: str, **changes: Any) -> EventLog:
    (folder / "shop").mkdir(exist_ok=True)
    (folder / "shop" / "interactions.csv").write_text(log)
    (folder / "shop" / "items.csv").write_text(items)
    return read_log(settings(folder / "shop", **changes))


def test_item_tables_without_leading_zeros_are_matched_and_said(tmp_path: Path) -> None:
    log = with_items(tmp_path, "user,item\n1,007\n1,008\n2,007\n", "item,category\n7,tea\n8,mugs\n9,tea\n")
    assert log.items is not None
    assert dict(log.items.select("item", "category").rows()) == {"007": "tea", "008": "mugs", "9": "tea"}
    assert "'7' for '007'" in notes(log, "item table")
    assert "describes 2 of the log's 2 items, 3 of its 3 events" in notes(log, "item table")


def test_an_id_that_could_be_two_is_matched_with_none(tmp_path: Path) -> None:
    log = with_items(tmp_path, "user,item\n1,07\n1,007\n1,x\n", "item,category\n7,tea\nx,mugs\n")
    assert log.items is not None
    assert log.items["item"].to_list() == ["7", "x"]
    assert "describes 1 of the log's 3 items" in notes(log, "item table")
    assert "'007', '07'" in notes(log, "item table")


def test_an_item_table_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"describes 0 of the log's 2 items.*the log has '1', '2', the table 'a'"):
        with_items(tmp_path, "user,item\n1,1\n1,2\n", "item,category\na,tea\n")


def test_a_column_of_the_log_gives_the_interests(tmp_path: Path) -> None:
    text = "user,item,section,colour\n1,a,s1,red\n1,b,s2,red\n1,a,s1,blue\n1,c,s1,red\n1,d,s2,red\n"
    data = settings(tmp_path / "log.csv", interest_column="section")
    log = from_text(tmp_path, text, interest_column="section")
    assert flatten(clean(log, data), data).interests == ("s1", "s2")
    assert "2 values of section" in notes(log, "interests")
    with pytest.raises(UserError, match=r"interest_column='departement' is no column.*section"):
        from_text(tmp_path, text, interest_column="departement")
    assert "none: no column is named like 'category'; section could be" in notes(from_text(tmp_path, text), "interests")
    assert "of item_category" in notes(from_text(tmp_path, text.replace("section", "item_category")), "interests")


def test_an_item_table_is_joined_by_the_column_that_holds_the_items_of_the_log(tmp_path: Path) -> None:
    log = "user,item\n1,sku-1\n1,sku-2\n2,sku-1\n"
    found = with_items(tmp_path, log, "id,category,own_variant\n9000,tea,SKU-1\n9001,mugs,SKU-2\n")
    assert found.items is not None
    assert dict(found.items.select("item", "category").iter_rows()) == {"sku-1": "tea", "sku-2": "mugs"}
    assert "its ids are taken from own_variant" in notes(found, "item table")
    found = with_items(tmp_path, log, "product_id,category,own_variant\n9000,tea,sku-1\n9001,mugs,sku-2\n")
    assert found.items is not None
    assert dict(found.items.select("item", "category").iter_rows()) == {"sku-1": "tea", "sku-2": "mugs"}
    with pytest.raises(UserError, match="none holds the log's items: call the column of ids item_id"):
        with_items(tmp_path, log, "id,category\n1,tea\n2,mugs\n")


def test_items_that_stand_in_their_table_twice_with_other_values_are_said(tmp_path: Path) -> None:
    found = with_items(tmp_path, "user,item\n1,a\n1,b\n", "item_id,category\na,tea\na,mugs\nb,tea\nb,tea\n")
    assert "1 ids stand in it more than once, with other values, such as 'a'" in notes(found, "item table")
    assert found.items is not None
    assert dict(found.items.select("item", "category").iter_rows()) == {"a": "tea", "b": "tea"}


@pytest.mark.parametrize(("name", "ids"), [("Product", "Product SKU"), ("item", "sku")])
def test_names_of_several_words_are_titles_where_ids_are_beside_them(tmp_path: Path, name: str, ids: str) -> None:
    text = f"user,{name},{ids}\na,Blue mug,m1\na,Red mug,m2\nb,Tea pot,t1\n"
    log = from_text(tmp_path, text)
    assert log.detected["columns"]["item"] == ids
    assert log.items is not None
    assert dict(log.items.select("item", "title").iter_rows()) == {"m1": "Blue mug", "m2": "Red mug", "t1": "Tea pot"}
    assert f"{ids} is taken for the item and {name} for its title" in notes(log, "items")
    assert log.detected["unused"] == []
    by_hand = from_text(tmp_path, text, columns={"item": name})
    assert by_hand.detected["columns"]["item"] == name
    assert from_text(tmp_path, text.replace(" ", "-").replace("-SKU", " SKU")).detected["columns"]["item"] == name


@pytest.mark.parametrize("name", ["Preis", "prix", "price", "unit price"])
def test_prices_of_items_are_read_as_amounts(tmp_path: Path, name: str) -> None:
    found = with_items(tmp_path, "user,item\n1,a\n1,b\n", f"item;{name}\na;4,39\nb;1.204,50 €\n")
    assert found.items is not None
    assert found.items["price"].to_list() == [4.39, 1204.5]


def test_codes_of_html_in_titles_are_read_as_the_letters_they_stand_for() -> None:
    items = read_items(
        pl.DataFrame({"ISBN": ["1", "2"], "Book-Title": ["Caf&eacute; &amp; &#39;Bar&#39;", "R&D; AT&T"]})
    )
    assert items["title"].to_list() == ["Café & 'Bar'", "R&D; AT&T"]


@pytest.mark.parametrize("name", ["Custom SKU", "Produkt EAN 13", "Master_UPC"])
def test_a_code_of_goods_comes_before_names_where_no_column_is_known_to_hold_ids(tmp_path: Path, name: str) -> None:
    log = from_text(tmp_path, f"customer_id,Description,{name},date\na,Tube,T1,2024-01-01\nb,Wheel,T2,2024-01-02\n")
    assert log.detected["columns"]["item"] == name
    assert f"they are taken from {name}, by a word of its name" in notes(log, "items")
