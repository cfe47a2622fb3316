"""What was paid beside a price before discounts, or within a total that holds postage."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text, notes
from trajectory.schema import CleanLog

HEADER = "order_id,customer_id,sku,date,quantity"


def read(folder: Path, names: str, *cells: str, **changes: object) -> CleanLog:
    """Lines of orders, each with the cells of the further columns `names`."""
    rows = [f"{i},u{i % 7},i{i % 5},2024-01-{1 + i % 28:02},2,{cell}" for i, cell in enumerate(cells)]
    return cleaned(from_text(folder, "\n".join([f"{HEADER},{names}", *rows]) + "\n", **changes), folder, **changes)


@pytest.mark.parametrize(
    ("price", "discount", "paid"),
    [
        ("Unit Price", "Discount", "Net Amount"),
        ("unitPrice", "sellerDiscountTotal", "paidPrice"),
        ("Price", "Discount Amount", "Sold For"),
        ("Einzelpreis", "Rabatt", "Nettobetrag"),
        ("Prix unitaire", "Remise", "Montant payé"),
        ("Precio unitario", "Descuento", "Importe neto"),
        ("Preço unitário", "Desconto", "Valor pago"),
        ("Prezzo unitario", "Sconto", "Importo pagato"),
        ("Stukprijs", "Korting", "Betaald bedrag"),
        ("Pris", "Rabatt", "Nettobelopp"),
        ("Cena jednostkowa", "Rabat", "Kwota po rabacie"),
        ("Cena", "Sleva", "Zaplacená částka"),
        ("Цена", "Скидка", "Сумма со скидкой"),
        ("Birim Fiyatı", "İndirim Tutarı", "Faturalanacak Tutar"),
        ("単価", "割引", "支払金額"),
        ("단가", "할인", "결제금액"),
        ("单价", "优惠", "实付金额"),
        ("Harga", "Diskon", "Jumlah dibayar"),
        ("Đơn giá", "Giảm", "Giá sau giảm"),
    ],
)
def test_what_was_paid_comes_before_a_price_and_a_lone_discount_is_asked_about(
    tmp_path: Path, price: str, discount: str, paid: str
) -> None:
    lines = [f"{10 + i % 3},{i % 2},{2 * (10 + i % 3) - i % 2}" for i in range(30)]
    clean = read(tmp_path, f"{price},{discount},{paid}", *lines)
    assert clean.log.detected["columns"]["value"] == paid
    lone = read(tmp_path, f"{price},{discount}", *(line.rpartition(",")[0] for line in lines))
    assert f"{discount} is not read, beside {price}: is it still to be taken off" in notes(lone.log, "value")
    (asked,) = [note for note in lone.log.detected["notes"] if note["warning"] and "taken off" in note["text"]]
    assert asked["setting"].startswith(f"data.columns.discount={discount} ")


@pytest.mark.parametrize("name", ["bezahlt", "Оплачено", "Zapłacono"])
def test_a_yes_or_no_is_no_amount_that_was_paid(tmp_path: Path, name: str) -> None:
    clean = read(tmp_path, f"Unit Price,{name}", *(f"{10 + i % 3},{i % 2}" for i in range(30)))
    assert clean.log.detected["columns"]["value"] == "Unit Price"


def test_a_discount_is_taken_off_as_asked_for(tmp_path: Path) -> None:
    lines = [f"{10 + i % 3},{i % 2}" for i in range(30)]
    whole = read(tmp_path, "Unit Price,Discount", *lines)
    less = read(tmp_path, "Unit Price,Discount", *lines, columns={"discount": "Discount"})
    assert whole.events["value"].sum() - less.events["value"].sum() == 15
    off = read(tmp_path, "Unit Price,Discount", *lines, columns={"discount": "-"})
    assert off.events["value"].sum() == whole.events["value"].sum()
    for clean in (less, off):
        assert "is it still to be taken off" not in notes(clean.log, "value")


@pytest.mark.parametrize("name", ["Discount percent", "Rabattbetrag", "Rabatt", "Kortingspercentage"])
@pytest.mark.parametrize("cell", ["10", "10,0 %", "12.5%"])
def test_a_discount_in_per_cent_or_by_a_longer_word_is_asked_about(tmp_path: Path, name: str, cell: str) -> None:
    clean = read(tmp_path, f"Unit Price,{name}", *(f'{10 + i % 3},"{cell}"' for i in range(30)))
    assert f"{name} is not read, beside Unit Price: is it still to be taken off" in notes(clean.log, "value")


@pytest.mark.parametrize(("name", "cell"), [("Discount", "0"), ("Discount", "0 %"), ("Discount code", "X1")])
def test_a_discount_that_is_no_money_is_not_asked_about(tmp_path: Path, name: str, cell: str) -> None:
    clean = read(tmp_path, f"Unit Price,{name}", *(f"{10 + i % 3},{cell}" for i in range(30)))
    assert "taken off" not in notes(clean.log, "value")


@pytest.mark.parametrize("postage", ["Shipping And Handling", "Versandkosten", "Frais de livraison", "送料", "Kargo"])
def test_a_total_that_holds_postage_gives_way_to_the_goods(tmp_path: Path, postage: str) -> None:
    lines = [f"${10 + i % 3}.00,$4.50,$1.00,${2 * (10 + i % 3) + 5.5:.2f}" for i in range(30)]
    clean = read(tmp_path, f"Goods,{postage},Collected Tax,Total Price", *lines)
    assert clean.log.detected["columns"]["value"] == "Goods"
    assert f"Total Price holds {postage} beside Goods" in notes(clean.log, "value")
    by_hand = read(tmp_path, f"Goods,{postage},Collected Tax,Total Price", *lines, columns={"value": "Total Price"})
    assert by_hand.log.detected["columns"]["value"] == "Total Price"


@pytest.mark.parametrize(
    ("tax", "goods", "total", "cell"),
    [
        ("Tax", "Subtotal", "Total Price", "{tax:.2f},{goods:.2f},{both:.2f}"),
        ("MwSt", "Stückkosten", "Gesamtbetrag", "{tax:.2f},{price:.2f},{both:.2f}"),
        ("VAT %", "Net", "Amount", "20,{goods:.2f},{both:.2f}"),
        ("Taux TVA", "HT", "Montant total", "0.2,{goods:.2f},{both:.2f}"),
    ],
)
def test_a_total_that_holds_taxes_alone_is_asked_about(
    tmp_path: Path, tax: str, goods: str, total: str, cell: str
) -> None:
    lines = [cell.format(price=p, goods=2 * p, tax=0.4 * p, both=2.4 * p) for p in (10 + i % 3 for i in range(30))]
    names = f"{tax},{goods},{total}"
    clean = read(tmp_path, names, *lines)
    assert clean.log.detected["columns"]["value"] == total
    (asked,) = [note for note in clean.log.detected["notes"] if "are sales to count with taxes?" in note["text"]]
    assert asked["text"].startswith(f"{total} holds {tax} beside {goods}")
    assert asked["setting"] == f"data.columns.value={goods} reads them without"
    for clean in (
        read(tmp_path, names, *lines, columns={"value": total}),
        read(tmp_path, names, *(f"{line.rpartition(',')[0]},99.5" for line in lines)),
    ):
        assert "are sales to count with taxes?" not in notes(clean.log, "value")


def test_an_amount_without_taxes_is_said_to_be_so(tmp_path: Path) -> None:
    lines = [f"{p}.00,{0.2 * p:.2f},{1.2 * p:.2f}" for p in (10 + i % 3 for i in range(30))]
    clean = read(tmp_path, "line_total,Tax,Gross", *lines)
    assert "line_total is without Tax, which Gross holds" in notes(clean.log, "value")
