from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.data.ingest.quality.test_cleaning import cleaned, reasons
from trajectory.data.ingest.quality.summary import summary
from trajectory.data.ingest.sales.event_types import canonical, roles
from trajectory.data.store.arrays import flatten
from trajectory.data.store.sales import pieces_sold, require_sales, sales, selling_event_types
from trajectory.schema import EVENT_TYPES, Histories, UserError
from trajectory.settings import base

DAY = 86_400
T0 = 1_700_006_400  # midnight


def histories(folder: Path, text: str, **changes: Any) -> Histories:
    data = base().data
    data.update(changes)
    return flatten(cleaned(folder, text, **changes), data)


def types(**changes: str) -> ConfigDict:
    return ConfigDict(changes, convert_dict=False)


def test_standard_types_have_their_roles_and_settings_change_or_add_some() -> None:
    assert roles(base().data) == EVENT_TYPES
    data = base().data
    data.event_types.update(favorite="input,target,sale", gift="", event=" ", cart="input")
    changed = roles(data)
    assert (changed["favorite"], changed["gift"], changed["event"]) == (("input", "target", "sale"), (), ())
    assert changed["view"] == EVENT_TYPES["view"]
    assert changed["cart"] == ("input",), "read, not predicted"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("input,target,sales", "no role 'sales'; did you mean 'sale'"),
        ("target,sale", "has target without input"),
    ],
)
def test_roles_that_do_not_fit(given: str, words: str) -> None:
    data = base().data
    data.event_types.update(gift=given)
    with pytest.raises(UserError, match=words):
        roles(data)


@pytest.mark.parametrize(
    ("event_type", "words"),
    [
        ("remove_from_cart", ["remove_from_cart", "Removed from cart", "cart_remove", "Removed Product", "移出购物车"]),
        ("return", ["refund", "RETURNED", "cancelled order", "chargeback", "Refunded Order", "退货", "退款"]),
        ("impression", ["show", "exposure", "impr", "view_item_list", "list_view", "曝光"]),
        ("search", ["query", "view_search_results", "搜索"]),
        ("rating", ["rate", "review", "ratings"]),
        ("view", ["view_item", "page_view", "Product Viewed", "product_view", "Viewed Product", "pv"]),
        ("click", ["select_item", "list_click", "clicks"]),
        ("cart", ["add_to_cart", "addtocart", "carts", "Product Added", "Added Product"]),
        ("purchase", ["transaction", "orders", "buy", "Order Completed", "Placed Order", "purchase"]),
        ("favorite", ["fav", "add_to_wishlist"]),
        ("checkout", ["begin_checkout"]),
        (None, ["gift", "4", ""]),
    ],
)
def test_words_of_trackers(event_type: str | None, words: list[str]) -> None:
    assert canonical(pl.Series(words), base().data).to_list() == [event_type] * len(words)


def test_what_is_not_read_is_kept_outside_the_histories(tmp_path: Path) -> None:
    text = (
        "user,item,time,event_type,value\n"
        f"ann,tea,{T0},view,\nann,cup,{T0 + 1},purchase,3\nann,cup,{T0 + 9},remove from cart,3\n"
        f"bob,tea,{T0 + 5},refund,2.5\nann,tea,{T0 + 2},purchase,2.5\nbob,pot,{T0 + 3},impression,\n"
        f"ann,tea,{T0 + 4},gift,\n"
    )
    clean = cleaned(tmp_path, text)
    assert reasons(clean) == {7: "unknown event type"}
    told = summary(clean)
    assert "2 rows (input, target, sale); from 'purchase'" in told
    assert "1 rows (negative); from 'remove from cart'" in told
    assert "3 of types without the role input, kept beside the histories" in told
    assert "'gift'; data.event_type_map" in told
    h = histories(tmp_path, text)
    assert h.users["user"].to_list() == ["ann"]
    assert h.items["item"].to_list() == ["cup", "tea"]
    assert h.num_events + h.outside.height + clean.quarantine.height == 7
    assert h.outside.rows() == [
        ("ann", "cup", "remove_from_cart", T0 + 9, None, 3.0),
        ("bob", "pot", "impression", T0 + 3, None, None),
        ("bob", "tea", "return", T0 + 5, None, 2.5),
    ]
    assert set(h.roles) == {"view", "purchase", "remove_from_cart", "impression", "return"}
    assert selling_event_types(h) == ("purchase",)
    assert pieces_sold(h).tolist() == [0, 1, 1]
    found = sales(h)
    assert found.user.tolist() == [0, 0, -1]
    assert found.item.tolist() == [1, 2, 2]
    assert found.quantity.tolist() == [1, 1, -1]
    assert found.value.tolist() == [3, 2.5, -2.5]


def test_a_log_of_which_nothing_would_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="would read no event: all are of the types impression"):
        histories(tmp_path, "user,item,event_type\nann,tea,show\n")


def test_negative_quantities_are_returns_and_quantities_weigh(tmp_path: Path) -> None:
    text = f"user,item,time,quantity\nann,tea,{T0 + 1},3\nann,tea,{T0 + 2},-2\nann,cup,{T0 + 3},\n"
    h = histories(tmp_path, text)
    assert "1 rows (sale, negative); from 'below 0'" in summary(cleaned(tmp_path, text))
    assert h.event_types == ("purchase",)
    np.testing.assert_array_equal(h.quantity, np.array([3, np.nan], np.float32))
    assert h.outside.select("event_type", "quantity").rows() == [("return", 2.0)]
    assert sales(h).quantity.tolist() == [3, 1, -2]


def test_a_sale_of_a_value_below_nothing_is_a_return(tmp_path: Path) -> None:
    text = "user,item,event_type,value\nann,tea,buy,3\nann,tea,buy,-3\nann,tea,view,-3\n"
    assert "1 rows (sale, negative); from 'buy, below 0'" in summary(cleaned(tmp_path, text))
    h = histories(tmp_path, text)
    assert h.outside.select("event_type", "value").rows() == [("return", 3.0)]
    assert sales(h).value.tolist() == [3, -3]


@pytest.mark.parametrize(
    ("columns", "event_type", "told"),
    [
        ("user,item,time", "event", "nothing in the log"),
        ("user,item,order_id", "purchase", "a column of baskets or orders"),
        ("user,item,quantity", "purchase", "a column of quantities"),
        ("user,item,rating", "rating", "a column of ratings"),
    ],
)
def test_a_log_that_states_no_type(tmp_path: Path, columns: str, event_type: str, told: str) -> None:
    clean = cleaned(tmp_path, f"{columns}\nann,tea,5\n")
    assert clean.events["event_type"].to_list() == [event_type]
    assert f"none stated: all rows are of the type {event_type}, told by {told}" in summary(clean)
    viewed = cleaned(tmp_path, f"{columns}\nann,tea,5\n", event_type_map=types(**{"": "view"}))
    assert viewed.events["event_type"].to_list() == ["view"]


def test_a_log_without_sales_says_how_to_declare_them(tmp_path: Path) -> None:
    text = f"user,item,time\nann,tea,{T0}\n"
    words = r"event_types.event=input,target,sale"
    assert words in summary(cleaned(tmp_path, text))
    with pytest.raises(UserError, match=f"demand needs sales.*{words}"):
        require_sales(histories(tmp_path, text), "demand needs sales")
    assert selling_event_types(histories(tmp_path, text, event_types=types(event="input,target,sale"))) == ("event",)


def test_ratings_below_the_threshold_are_not_read(tmp_path: Path) -> None:
    text = "user,item,rating\nann,tea,5\nann,cup,2\n"
    assert histories(tmp_path, text).num_events == 2
    h = histories(tmp_path, text, rating_threshold=3.0)
    assert (h.event_types, h.num_events, h.outside["event_type"].to_list()) == (("rating",), 1, ["low_rating"])


def test_a_threshold_needs_ratings(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs ratings"):
        histories(tmp_path, "user,item\nann,tea\n", rating_threshold=3.0)


EQUAL = f"ann,tea,{T0},2\nann,tea,{T0},2\nann,tea,{T0},2\nann,cup,{T0 + DAY},3\n"


@pytest.mark.parametrize(
    ("columns", "how", "kept", "folded"),
    [
        ("user,item,time,value", "auto", 2, 2),  # whole days
        ("user,item,time,quantity", "auto", 2, 0),
        ("user,item,time,rating", "auto", 2, 0),
        ("user,item,time,order_id", "auto", 2, 2),
        ("user,item,time,value", "drop", 2, 0),
        ("user,item,time,value", "keep", 4, 0),
        ("user,item,time,quantity", "count", 2, 2),
    ],
)
def test_equal_rows(tmp_path: Path, columns: str, how: str, kept: int, folded: int) -> None:
    clean = cleaned(tmp_path, f"{columns}\n{EQUAL}", duplicates=how)
    assert (clean.events.height, clean.folded, clean.quarantine.height) == (kept, folded, 4 - kept - folded)
    if folded:
        stated = 2 if "quantity" in columns else 1
        assert clean.events["quantity"].fill_null(1).to_list() == [3 * stated, 3 if stated == 2 else 1]
        assert "2 equal rows, counted as quantity" in summary(clean)
    if "value" in columns and how == "auto":
        assert clean.events["value"].to_list() == [6, 3]


def test_equal_rows_within_a_day_are_duplicates_and_copies_go_with_their_row(tmp_path: Path) -> None:
    assert cleaned(tmp_path, "user,item,time\n" + f"ann,tea,{T0 + 1}\n" * 2).counts == {"duplicate": 1}
    text = f"user,item,time\nbob,tea,{T0}\nbob,tea,{T0}\nann,tea,{T0}\nann,cup,{T0}\n"
    clean = cleaned(tmp_path, text, min_user_events=2)
    assert reasons(clean) == {1: "below minimum count", 2: "below minimum count"}


def test_rows_that_are_not_read_count_for_no_minimum(tmp_path: Path) -> None:
    text = "user,item,event_type\nann,tea,view\nann,cup,show\nbob,tea,view\nbob,cup,view\n"
    clean = cleaned(tmp_path, text, min_user_events=2)
    assert reasons(clean) == {1: "below minimum count"}


def test_unknown_way_with_equal_rows(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'count'"):
        cleaned(tmp_path, "user,item\nann,tea\n", duplicates="counts")


@pytest.mark.parametrize(
    ("view", "cart", "purchase", "remove", "back"),
    [
        ("Produktansicht", "In den Warenkorb", "Bestellung", "Aus dem Warenkorb entfernt", "Rücksendung"),
        ("vue produit", "ajout au panier", "achat", "retrait du panier", "remboursement"),
        ("vista", "añadir_al_carrito", "compra", "quitar del carrito", "devolución"),
        ("visualização", "adicionar ao carrinho", "compra", "remover do carrinho", "devolução"),
        ("visualizzazione", "aggiunta al carrello", "acquisto", "rimosso dal carrello", "rimborso"),
        ("bekeken", "in winkelwagen", "aankoop", "uit winkelwagen", "retour"),
        ("wyświetlenie", "dodanie do koszyka", "zakup", "usunięcie z koszyka", "zwrot"),
        ("zobrazení", "do košíku", "nákup", "z košíku", "vrácení"),
        ("просмотр", "добавление в корзину", "покупка", "удаление из корзины", "возврат"),
        ("görüntüleme", "sepete ekleme", "satın alma", "sepetten çıkarma", "iade"),
        ("閲覧", "カート追加", "購入", "カート削除", "返品"),
        ("조회", "장바구니 담기", "구매", "장바구니 삭제", "환불"),
        ("lihat", "tambah ke keranjang", "beli", "hapus dari keranjang", "retur"),
        ("xem", "thêm vào giỏ hàng", "mua", "xóa khỏi giỏ hàng", "trả hàng"),
        ("pdp_view", "add_to_bag", "order", "remove_from_bag", "refund"),
        ("detail", "add", "purchase", "remove", "refund"),
    ],
)
def test_events_of_shops_are_known_in_many_languages(
    view: str, cart: str, purchase: str, remove: str, back: str
) -> None:
    words = pl.Series([view, cart, purchase, remove, back])
    expected = ["view", "cart", "purchase", "remove_from_cart", "return"]
    assert canonical(words, base().data).to_list() == expected
    assert canonical(words.str.to_titlecase(), base().data).to_list() == expected


def test_a_turkish_capital_is_its_small_letter() -> None:
    assert canonical(pl.Series(["İade", "İPTAL"]), base().data).to_list() == ["return", "return"]


@pytest.mark.parametrize("name", ["Событие", "Evento", "Ereignis", "イベント", "olay"])
def test_views_of_a_log_in_another_language_are_no_sales_though_pieces_stand_beside(tmp_path: Path, name: str) -> None:
    rows = "".join(f"u{i % 9},a{i % 7},{'купил' if i % 4 else 'просмотр'},1,2.5\n" for i in range(60))
    clean = cleaned(tmp_path, f"user_id,item_id,{name},quantity,price\n{rows}", duplicates="keep")
    assert dict(clean.types.select("type", "rows").iter_rows()) == {"view": 15, "purchase": 45}
    assert clean.log.detected["columns"]["event_type"] == name


def test_words_that_only_those_beside_them_tell() -> None:
    def of(*words: str, **event_type_map: str) -> list[str | None]:
        data = base().data
        data.event_type_map.update(event_type_map)
        return canonical(pl.Series(words), data).to_list()

    assert of("Payment", "Refund") == ["purchase", "return"]
    assert of("payment", "refund", "order") == [None, "return", "purchase"]
    assert of("view", "payment") == ["view", None]
    assert of("order", "cancelled") == ["purchase", "return"]
    assert of("renewal", "trial_started", "cancelled") == ["purchase", None, None]
    assert of("renewal", "cancelled", cancelled="return") == ["purchase", "return"]
    assert of("loan", "renewal", "return") == [None, None, None]
    assert of("checkout", "renew", "return") == ["checkout", None, None]
    assert of("order", "hold", "return") == ["purchase", None, "return"]


@pytest.mark.parametrize(
    ("word", "event_type"),
    [("加入購物車", "cart"), ("瀏覽", "view"), ("購買", "purchase"), ("點擊", "click"), ("退貨", "return")],
)
def test_words_in_traditional_chinese_are_those_in_simplified(word: str, event_type: str) -> None:
    assert canonical(pl.Series([word]), base().data).to_list() == [event_type]
