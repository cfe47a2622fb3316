"""What a discount is of: a row, each of its pieces, or a share of the value."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog, UserError

PIECES = [1 + i // 5 % 3 for i in range(60)]  # 120 of 60 rows


def read(folder: Path, name: str, cells: list[str], price: str = "10", **changes: object) -> CleanLog:
    """Sixty lines of one to three pieces at `price` each, with the cells of a discount."""
    rows = [f"{i},u{i % 7},i{i % 5},2024-01-{1 + i % 28:02},{PIECES[i]},{price},{cell}" for i, cell in enumerate(cells)]
    changes = {"columns": {"discount": name}} | changes
    text = "\n".join([f"order_id,customer_id,sku,date,quantity,unit price,{name}", *rows]) + "\n"
    return cleaned(from_text(folder, text, **changes), folder, **changes)


def value(clean: CleanLog) -> float:
    return clean.events["value"].sum()


def test_a_discount_that_grows_with_the_pieces_is_of_the_row_and_one_that_does_not_of_each(tmp_path: Path) -> None:
    each = read(tmp_path, "Rabatt", [f"{1 + i % 5}" for i in range(60)])
    assert value(each) == 1200 - sum((1 + i % 5) * PIECES[i] for i in range(60))
    assert "Rabatt is an amount that is taken off the value of each piece, as rows of several" in notes(
        each.log, "value"
    )
    row = read(tmp_path, "Rabatt", [f"{(1 + i % 5) * PIECES[i]}" for i in range(60)])
    assert value(row) == value(each)
    assert "off the value of each row, as rows of several quantities tell" in notes(row.log, "value")


def test_where_discounts_differ_the_share_that_they_are_tells(tmp_path: Path) -> None:
    prices = [10 + 7 * (i % 11) for i in range(60)]
    rows = [f"{i},u{i % 7},i{i},2024-01-{1 + i % 28:02},{PIECES[i]},{p},{p / 10}" for i, p in enumerate(prices)]
    text = "\n".join(["order_id,customer_id,sku,date,quantity,unit price,off", *rows]) + "\n"
    clean = cleaned(from_text(tmp_path, text, columns={"discount": "off"}), tmp_path)
    assert value(clean) == pytest.approx(sum(0.9 * p * n for p, n in zip(prices, PIECES, strict=True)))


@pytest.mark.parametrize(
    ("name", "each"),
    [("Discount", False), ("Discount per unit", True), ("Stückrabatt je Stück", True), ("Remise unitaire", True)],
)
def test_where_no_row_tells_the_name_does_and_it_is_asked(tmp_path: Path, name: str, each: bool) -> None:
    cells = ["1" if i % 30 == 29 else "0" for i in range(60)]  # of 3 pieces and of 1... too few to tell
    clean = read(tmp_path, name, cells)
    pieces = PIECES[29] + PIECES[59]
    assert value(clean) == 1200 - (pieces if each else 2)
    (note,) = [note for note in clean.log.detected["notes"] if note["text"].startswith(f"{name} is an amount")]
    assert note["warning"] != each
    assert note["setting"].startswith(f"data.discount_of={'row' if each else 'unit'}")
    by_hand = read(tmp_path, name, cells, discount_of="row" if each else "unit")
    assert value(by_hand) == 1200 - (2 if each else pieces)
    assert "of each row?" not in notes(by_hand.log, "value")


@pytest.mark.parametrize(
    ("name", "some"), [("Discount", "0.15"), ("Rabatt %", "15"), ("discount_pct", "15"), ("Taux de remise", "15")]
)
def test_a_discount_of_parts_or_of_a_hundred_is_a_share(tmp_path: Path, name: str, some: str) -> None:
    clean = read(tmp_path, name, [some if i % 2 else "0" for i in range(60)])
    assert value(clean) == pytest.approx(1200 - 1.5 * sum(PIECES[1::2]))
    assert f"{name} is a share" in notes(clean.log, "value")


def test_a_discount_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data.discount_of='line' is unknown; expected one of auto, unit, row, share"):
        read(tmp_path, "Discount", ["1"] * 60, discount_of="line")


@pytest.mark.parametrize("form", ["{:.1f} %", "{:.1f}%", "{:.0f} ％"])
def test_cells_in_per_cent_are_shares(tmp_path: Path, form: str) -> None:
    clean = read(tmp_path, "Rabatt", [form.format(10 * (i % 3)) for i in range(60)])
    assert value(clean) == pytest.approx(sum(10 * PIECES[i] * (1 - i % 3 / 10) for i in range(60)))
    assert "Rabatt is a share of 100 that is taken off the value of each row, as its cells say %" in notes(
        clean.log, "value"
    )
    less = read(tmp_path, "Rabatt", ['"0,5 %"'] * 60, price="100")
    assert value(less) == pytest.approx(12000 * 0.995)  # of 100, though all are below 1
