"""Further lines of an order whose cells of the order are blank."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog, UserError

ODOO = "Order Reference,Customer,Order Date,Status,Total,Order Lines/Product,Order Lines/Quantity,Order Lines/Subtotal"
FURTHER = ",,,,,"


def orders(count: int = 12) -> list[str]:
    """Orders of three lines, of which the further two state no order."""
    lines = []
    for i in range(count):
        state = "cancel" if i == 2 else "sale"
        lines.append(f"S{i:03},Ada {i % 5},2024-01-{1 + i:02} 10:00,{state},{60 + i},desk,1,{30 + i}")
        lines += [f"{FURTHER}lamp,1,20", f"{FURTHER}lamp,1,10"]
    return lines


def read(folder: Path, header: str, lines: list[str], **changes: object) -> CleanLog:
    return cleaned(from_text(folder, "\n".join([header, *lines]) + "\n", **changes), folder, **changes)


def types(clean: CleanLog) -> dict[str, int]:
    return dict(clean.types.select("type", "rows").iter_rows())


def test_lines_that_state_no_order_are_of_the_one_above_with_its_status(tmp_path: Path) -> None:
    clean = read(tmp_path, ODOO, orders())
    assert types(clean) == {"purchase": 33, "failed_order": 3}
    assert clean.counts == {}
    assert clean.folded == 0
    assert clean.events.group_by("basket").len()["len"].to_list() == [3] * 12
    assert clean.events["user"].n_unique() == 5
    assert "24 rows state none of Customer, Order Reference and Order Date, so they are" in notes(clean.log, "orders")
    assert clean.log.detected["columns"]["value"] == "Order Lines/Subtotal"
    assert clean.events["value"].sum() == sum(60 + i for i in range(12))


@pytest.mark.parametrize(
    "header",
    [
        "Kunde;Belegnummer;Datum;Artikel;Menge",
        "Client;N° commande;Date de commande;Article;Quantité",
        "Cliente;Pedido;Fecha;Producto;Cantidad",
        "Клиент;Номер заказа;Дата;Товар;Количество",
        "顧客;注文番号;注文日;商品;数量",
    ],
)
def test_in_any_language(tmp_path: Path, header: str) -> None:
    lines = [line for i in range(9) for line in (f"u{i % 4};o{i};2024-01-0{1 + i};x;1", ";;;y;2")]
    clean = read(tmp_path, header, lines)
    assert types(clean) == {"purchase": 18}
    assert clean.events["user"].n_unique() == 4


def test_a_guest_s_further_lines_are_no_other_customers(tmp_path: Path) -> None:
    lines = ["1,a,2024-01-01,x", ",,,y", "2,,2024-01-02,x", ",,,y", ",,,z", "3,b,2024-01-03,x"]
    clean = read(tmp_path, "order_id,user_id,date,item_id", lines)
    assert clean.counts == {"missing user": 3}
    assert clean.events.select("user", "item").rows() == [("a", "x"), ("a", "y"), ("b", "x")]


def test_lines_below_one_that_cannot_be_read_and_sums_are_of_no_order(tmp_path: Path) -> None:
    lines = ["1,a,2024-01-01,x", ",,,y", "2,b,2024-01-02,x,9,9", ",,,y", "3,c,2024-01-03,z", ",,,Grand Total", ",,,"]
    clean = read(tmp_path, "order_id,user_id,date,item_id", lines)
    assert clean.events.select("user", "item").rows() == [("a", "x"), ("a", "y"), ("c", "z")]
    assert clean.events.height + clean.quarantine.height == len(lines) - 1  # the last is blank


def test_a_file_s_first_lines_do_not_continue_the_file_before(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, lines in (("a", ["1,a,2024-01-01,x", ",,,y"]), ("b", [",,,z", "2,b,2024-01-02,x", ",,,y"])):
        (folder / f"{name}.csv").write_text("\n".join(["order_id,user_id,date,item_id", *lines]) + "\n")
    from tests.raw_logs import settings
    from trajectory.data.ingest.log import read_log

    clean = cleaned(read_log(settings(folder)), tmp_path)
    assert clean.events.select("user", "item").rows() == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]


@pytest.mark.parametrize(
    "lines",
    [
        [",,,y", "1,a,2024-01-01,x", ",,,z"],
        ["1,a,2024-01-01,x", ",,,y", "2,b,,x", ",c,2024-01-03,x", "3,d,,z"],
    ],
)
def test_where_it_is_unsure_it_is_asked_and_done_as_told(tmp_path: Path, lines: list[str]) -> None:
    header = "order_id,user_id,date,item_id"
    clean = read(tmp_path, header, lines)
    (note,) = [note for note in clean.log.detected["notes"] if "further lines of the order above them?" in note["text"]]
    assert note["warning"]
    assert note["setting"] == "data.continued_lines=fill"
    filled = read(tmp_path, header, lines, continued_lines="fill")
    assert filled.quarantine.height < clean.quarantine.height
    assert "and have its cells" in notes(filled.log, "orders")


def test_it_is_left_as_asked_for(tmp_path: Path) -> None:
    clean = read(tmp_path, ODOO, orders(), continued_lines="keep")
    assert clean.events.height + clean.quarantine.height == 36
    assert clean.events.height == 12
    with pytest.raises(UserError, match=r"data.continued_lines='yes' is unknown; expected one of auto, fill, keep"):
        read(tmp_path, ODOO, orders(), continued_lines="yes")


def test_rows_with_a_date_or_type_of_their_own_are_asked_about(tmp_path: Path) -> None:
    views = [f",,i{i % 3},view,2024-01-{i + 1:02} 10:00" for i in range(9)]
    for header, cut in (("user_id,order_id,item_id,what,seen", 0), ("user_id,order_id,item_id,event,place", 1)):
        lines = ["u1,1,i1,purchase,2024-02-01 09:00", *views]
        lines = [line.rpartition(",")[0] + ",here" for line in lines] if cut else lines
        clean = read(tmp_path, header, lines)
        assert "9 rows do not state user_id and order_id: are they further lines" in notes(clean.log, "orders")
        assert clean.events["user"].n_unique() == 1
        assert clean.counts["missing user"] == 9


def test_users_in_merged_cells_are_asked_about_and_filled_as_told(tmp_path: Path) -> None:
    lines = [line for i in range(9) for line in (f"u{i},x", ",y")]
    clean = read(tmp_path, "user_id,item_id", lines)
    assert "9 rows do not state user_id: are they further lines of the order above them?" in notes(clean.log, "orders")
    filled = read(tmp_path, "user_id,item_id", lines, continued_lines="fill")
    assert filled.events.height == 18
    guests = [line for i in range(9) for line in (f"u{i % 3},x", ",y")]
    assert notes(read(tmp_path, "user_id,item_id", guests).log, "orders") == ""


def test_a_last_line_that_begins_as_a_sum_is_of_no_order(tmp_path: Path) -> None:
    lines = ["1,a,2024-01-01,x", ",,,Total War", "2,b,2024-01-02,x", ",,,Total of all"]
    clean = read(tmp_path, "order_id,user_id,date,item_id", lines)
    assert clean.events.select("user", "item").rows() == [("a", "x"), ("a", "Total War"), ("b", "x")]
