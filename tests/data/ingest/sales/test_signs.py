"""The sign of what is sold in ledgers of a stock and of accounts, and what a shop buys itself."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog, UserError


def ledger(folder: Path, words: dict[str, tuple[int, ...]], name: str = "quantity", **changes: object) -> CleanLog:
    """Rows of each word with amounts in turn."""
    cells = [(word, amount) for word, amounts in words.items() for amount in amounts]
    rows = [f"u{i % 7},i{i % 5},2024-01-{1 + i % 28:02},{word},{amount}" for i, (word, amount) in enumerate(cells)]
    text = "\n".join([f"user_id,item_id,date,entry_type,{name}", *rows]) + "\n"
    return cleaned(from_text(folder, text, **changes), folder, **changes)


def types(clean: CleanLog) -> dict[str, int]:
    return dict(clean.types.select("type", "rows").iter_rows())


STOCK = {"Sale": (-2,) * 90 + (1,) * 6, "Purchase": (50,) * 8, "Transfer": (-5,) * 3}


@pytest.mark.parametrize("name", ["quantity", "amount"])
def test_sales_that_are_nearly_all_below_nothing_are_turned_and_asked_about(tmp_path: Path, name: str) -> None:
    clean = ledger(tmp_path, {"Sale": STOCK["Sale"]}, name)
    assert types(clean) == {"purchase": 90, "return": 6}
    sold = clean.events.filter(clean.events["event_type"].cast(str) == "purchase")
    assert sold["quantity" if name == "quantity" else "value"].sum() == 180
    (asked,) = [note for note in clean.log.detected["notes"] if note["topic"] == "sales"]
    assert f"{name} is below 0 in 90 of 96 sales ('Sale')" in asked["text"]
    assert (asked["warning"], asked["setting"].split()[0]) == (True, "data.sign_of_sales=plus")
    kept = ledger(tmp_path, {"Sale": STOCK["Sale"]}, name, sign_of_sales="plus")
    assert types(kept) == {"purchase": 6, "return": 90}


def test_what_comes_in_while_sales_go_out_is_bought_and_no_sale(tmp_path: Path) -> None:
    clean = ledger(tmp_path, STOCK)
    assert types(clean) == {"purchase": 90, "return": 6, "failed_order": 8}
    assert "'Purchase' has goods coming in (8 rows) while those of sales go out" in notes(clean.log, "sales")
    assert types(ledger(tmp_path, STOCK, event_type_map={"Purchase": "purchase"}))["purchase"] == 98


def test_purchases_beside_sales_are_asked_about(tmp_path: Path) -> None:
    words = {"sale": (1,) * 30, "purchase": (2,) * 9}
    clean = ledger(tmp_path, words)
    assert types(clean) == {"purchase": 39}
    assert "'purchase' (9 rows) counts as a sale, beside 'sale': is it what the shop bought itself?" in notes(
        clean.log, "sales"
    )
    clean = ledger(tmp_path, words, event_type_map={"purchase": "failed_order"})
    assert types(clean) == {"purchase": 30, "failed_order": 9}
    assert notes(clean.log, "sales") == ""
    assert notes(ledger(tmp_path, {"purchase": (1,) * 30, "view": (1,) * 9}).log, "sales") == ""


def test_a_log_without_types_and_few_returns(tmp_path: Path) -> None:
    header = "user_id,item_id,quantity\n"
    every = cleaned(from_text(tmp_path, header + "a,x,-1\nb,y,-3\n" * 20), tmp_path, duplicates="keep")
    assert types(every) == {"purchase": 40}
    some = cleaned(from_text(tmp_path, header + "a,x,-1\nb,y,3\n" * 20), tmp_path, duplicates="keep")
    assert types(some) == {"purchase": 20, "return": 20}
    by_hand = {"sign_of_sales": "minus", "duplicates": "keep"}
    assert types(cleaned(from_text(tmp_path, header + "a,x,-1\nb,y,3\n", **by_hand), tmp_path, **by_hand)) == {
        "purchase": 1,
        "return": 1,
    }
    with pytest.raises(UserError, match=r"data.sign_of_sales='down' is unknown; expected one of auto, plus, minus"):
        from_text(tmp_path, header + "a,x,1\n", sign_of_sales="down")


def test_views_have_no_sign(tmp_path: Path) -> None:
    clean = ledger(tmp_path, {"view": (-1,) * 30, "purchase": (1,) * 30})
    assert types(clean) == {"view": 30, "purchase": 30}
    assert notes(clean.log, "sales") == ""
