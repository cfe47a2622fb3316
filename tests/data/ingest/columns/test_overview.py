"""Columns that are proposed where no name tells which has the users or items, or where the one that does has gaps."""

from pathlib import Path

import pytest

from tests.raw_logs import from_text, notes
from trajectory.schema import EventLog, UserError

ROWS = 60


def text(**columns: str) -> str:
    """Rows of columns, each cell formatted from the row's number and its remainders."""
    rows = [",".join(cell.format(i, i % 7, i % 13, i % 29) for cell in columns.values()) for i in range(ROWS)]
    return "\n".join([",".join(columns), *rows]) + "\n"


def proposed(folder: Path, **columns: str) -> str:
    with pytest.raises(UserError, match="by what they hold it could be") as error:
        from_text(folder, text(**columns))
    return str(error.value).partition("it could be ")[2].partition("; ")[0]


def test_money_orders_and_objects_are_not_proposed_for_users(tmp_path: Path) -> None:
    others = {"sku": "s{1}", "合計金額": "1{3}00", "Order #": "O{3}", "total cost": "9{3}", "date": "2024-01-01"}
    assert proposed(tmp_path, **others, blob='"{{""a"": {3}}}"', who="w{2}") == "who (13 values)"
    assert proposed(tmp_path, **others, lines="Product ID: {3} | Product Qty: {1}", who="w{2}") == "who (13 values)"


def test_names_with_numbers_are_no_dates(tmp_path: Path) -> None:
    columns = {"sku": "s{1}", "day": "1{1} March 2024", "Name": "{2} Customer {2}"}
    assert proposed(tmp_path, **columns) == "Name (13 values)"


def test_columns_with_a_word_for_it_in_their_names_are_proposed_first(tmp_path: Path) -> None:
    columns = {"sku": "s{1}", "date": "2024-01-01", "till": "t{3}", "contact person ref": "p{2}"}
    assert proposed(tmp_path, **columns) == "contact person ref (13 values) or till (29 values)"
    columns = {"user_id": "s{1}", "date": "2024-01-01", "till": "t{3}", "webshop product": "p{2}", "gap": ""}
    assert proposed(tmp_path, **columns).startswith("webshop product (13 values) or till")


@pytest.mark.parametrize(
    ("field", "name", "other"), [("item", "sku", "listing_id"), ("user", "userId", "anonymousId"), ("item", "sku", "")]
)
def test_where_ids_have_gaps_a_fuller_column_of_them_is_proposed(
    tmp_path: Path, field: str, name: str, other: str
) -> None:
    known = {"user": "item_id", "item": "user_id"}[field]
    rows = [f"k{i % 7},{f'v{i % 9}' if i % 4 else ''},o{i % 11},{1_700_000_000 + i}" for i in range(ROWS)]
    log = from_text(tmp_path, "\n".join([f"{known},{name},{other or 'shelf'},timestamp", *rows]) + "\n")
    said = [note for note in log.detected["notes"] if note["setting"] == f"data.columns.{field}={other}"]
    assert len(said) == bool(other)
    if other:
        assert said[0]["text"] == f"the {field} is missing in 15 of 60 rows, {other} is not"


def test_one_item_in_all_rows_is_asked_about_with_columns_that_could_be_it(tmp_path: Path) -> None:
    log = from_text(tmp_path, text(user_id="u{1}", app_id="shop", se_label="SKU{2}", date="2024-01-01"))
    assert "app_id is 'shop' in every row, so there is nothing to predict; by what they hold" in notes(log, "items")
    assert "se_label (13 values)" in notes(log, "items")


def test_lists_written_out_as_text_are_no_items(tmp_path: Path) -> None:
    details = '"Product ID: {3}, Product Qty: 1, Product Name: Cup|Product ID: {2}, Product Qty: 2"'
    log = text(user_id="u{1}", product_id=details, date="2024-01-01")
    with pytest.raises(UserError, match=r"column 'product_id' holds lists or objects written as text"):
        from_text(tmp_path, log)


def read(folder: Path, label: str) -> EventLog:
    return from_text(folder, text(user_id="u{1}", sku="s{2}", date="2024-01-01", label=label))


def test_a_label_of_words_is_a_name_and_one_of_0_and_1_is_a_label(tmp_path: Path) -> None:
    named = read(tmp_path, "Chair {2}")
    assert "label" not in named.detected["columns"]
    assert named.items is not None
    assert named.items["title"].to_list()[0].startswith("Chair ")
    assert read(tmp_path, "{0}"[:0] + "1").detected["columns"]["label"] == "label"
