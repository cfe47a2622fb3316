"""Lines for nothing that repeat the line before, as shops export a product and its variant."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog

HEADER = "order_id,user_id,sku,quantity,row_total,date"


def read(folder: Path, name: str, whole: str, part: str, alone: str, **changes: object) -> CleanLog:
    """Three products with a part each, and one alone; cells of the column `name`."""
    rows = [
        f"{i},u{i},s{i},2,{total},2024-01-0{1 + i},{cell}"
        for i in range(3)
        for total, cell in ((9.5 + i, whole), ("0.00", part))
    ]
    rows.append(f"9,u1,s9,1,5,2024-01-09,{alone}")
    return cleaned(from_text(folder, "\n".join([f"{HEADER},{name}", *rows]) + "\n", **changes), folder, **changes)


def types(clean: CleanLog) -> dict[str, int]:
    return dict(clean.types.select("type", "rows").iter_rows())


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("product_type", ("configurable", "simple", "simple")),
        ("Type", ("Variable", "Variation", "Simple")),
        ("parent_item_id", ("", "17", "")),
    ],
)
def test_a_part_of_the_line_before_is_no_sale(tmp_path: Path, name: str, cells: tuple[str, str, str]) -> None:
    clean = read(tmp_path, name, *cells)
    assert types(clean) == {"purchase": 4, "failed_order": 3}
    assert f"3 sales for nothing repeat the item and pieces of the line before, of which {name} says" in notes(
        clean.log, "no sales"
    )
    assert name not in clean.log.detected["unused"]
    off = read(tmp_path, name, *cells, no_sale_flags=(f"!{name}",))
    assert types(off) == {"purchase": 7}
    assert notes(off.log, "no sales") == ""


@pytest.mark.parametrize(("name", "part"), [("channel", "web"), ("line_type", "gift")])
def test_without_such_a_column_it_is_asked_whether_it_was_given_free(tmp_path: Path, name: str, part: str) -> None:
    clean = read(tmp_path, name, "regular", part, "regular")
    assert types(clean) == {"purchase": 7}
    assert "is the same stated twice, or a piece given free?" in notes(clean.log, "no sales")


def test_other_lines_for_nothing_are_sales(tmp_path: Path) -> None:
    text = f"{HEADER},product_type\n0,a,x,2,9.5,2024-01-01,configurable\n0,a,y,2,0,2024-01-01,simple\n"
    text += "1,b,x,1,0,2024-01-02,simple\n2,b,x,1,5,2024-01-03,configurable\n2,b,x,2,0,2024-01-03,simple\n"
    clean = cleaned(from_text(tmp_path, text), tmp_path)
    assert types(clean) == {"purchase": 5}
    assert notes(clean.log, "no sales") == ""


@pytest.mark.parametrize(("line", "owner"), [("item_id", "parent_item_id"), ("lineId", "parentLineId")])
def test_parts_and_wholes_are_told_by_the_id_of_the_whole(tmp_path: Path, line: str, owner: str) -> None:
    header = f"{line},{owner},order_id,user_id,product_id,quantity,row_total,date"
    rows = [
        f"{10 * i + n},{parent and 10 * i + parent},{i},u{i},{item}{i},{pieces},{total},2024-01-0{i}"
        for i in range(1, 7)
        for n, parent, item, pieces, total in (
            (1, "", "shirt", 2, 30 + i),  # paid as a whole
            (2, 1, "shirt-m", 2, 0),
            (3, "", "set", 1, 0),  # paid in its parts
            (4, 3, "cup", 1, 4 + i),
            (5, 3, "plate", 1, 6 + i),
            (6, "", "sticker", 1, 0),  # given free
        )
    ]
    text = "\n".join([header, *rows]) + "\n"
    item = {"item": "product_id"}
    clean = cleaned(from_text(tmp_path, text, columns=item), tmp_path)
    sold = clean.events.filter(clean.events["event_type"].cast(str) == "purchase")["item"].cast(str).str.head(5)
    assert sorted({*sold}) == ["cup1", "cup2", "cup3", "cup4", "cup5", "cup6", "plate", "shirt", "stick"]
    assert types(clean) == {"purchase": 24, "failed_order": 12}
    assert f"12 sales for nothing are a part, or the whole, of lines that were paid, as {owner} says" in notes(
        clean.log, "no sales"
    )
    off = cleaned(from_text(tmp_path, text, columns=item, no_sale_flags=(f"!{owner}",)), tmp_path)
    assert types(off) == {"purchase": 36}
