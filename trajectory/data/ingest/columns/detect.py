"""Which column of a table means what: as asked for in the config, else by the names that such columns often have."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import combinations

from trajectory.data.ingest.columns import column_words
from trajectory.data.ingest.columns.chinese import simplified
from trajectory.data.ingest.columns.name_words import name_words
from trajectory.schema import UserError

# Earlier names win where a table has several, and all come before those of column_words. Compared as `plain` has it.
# fmt: off
COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "user": ("user_id", "user", "uid", "customer_id", "customer", "visitor_id", "household_id", "member_id", "buyer_id",
             "shopper_id", "reviewer_id", "client_id", "account_id", "profile_id", "customer_no", "customer_number",
             "cust_id", "user_pseudo_id", "visitor", "member", "buyer", "client", "msno", "用户id", "用户", "用户编号",
             "customer_key", "user_key", "household_key", "card_id", "会员id", "会员", "客户id",
             "客户", "顾客", "customer_user_id", "email", "customer_email", "billing_email", "session_id", "session",
             "visit_id"),
    "item": ("item_id", "item", "product_id", "product", "sku", "sku_id", "asin", "parent_asin", "goods_id", "movie_id",
             "article_id", "video_id", "track_id", "song_id", "artist_id", "stock_code", "product_code", "product_no",
             "spu_id", "book_id", "isbn", "anime_id", "business_id", "recipe_id", "news_id", "content_id", "listing_id",
             "offer_id", "game_id", "app_id", "item_sku", "product_sku", "variant_sku", "lineitem_sku", "artikelnummer",
             "商品id", "商品", "商品编号", "物品id", "物品"),
    "time": ("timestamp", "event_time", "event_timestamp", "datetime", "date_time", "time", "time_stamp", "ts",
             "timestamp_ms", "event_ts", "server_time", "action_time", "visit_time", "click_time",
             "transaction_timestamp", "transaction_time", "purchase_time", "order_time", "pay_time", "unix_time",
             "unix_review_time", "created_at", "occurred_at", "purchased_at", "invoice_date", "order_date",
             "order_purchase_timestamp", "purchase_date", "transaction_date", "event_date", "action_date", "date",
             "trans_date", "sale_date", "visit_date", "day", "dt", "ds", "时间", "时间戳", "行为时间",
             "下单时间", "购买时间", "日期"),
    "position": ("position", "session_position", "position_in_session", "order_in_session", "view_order", "event_order",
                 "timeframe", "sequence", "sequence_number", "seq", "seq_no", "seq_num", "event_index", "event_number",
                 "hit_number", "step_number", "位置", "序号", "顺序"),
    "event_type": ("event_type", "event", "behavior_type", "behaviour_type", "behavior", "behaviour", "action",
                   "action_type", "event_name", "interaction_type", "kind", "行为类型", "行为", "事件类型", "事件"),
    "value": ("value", "sales_value", "sales_price", "amount", "line_total", "total_amount", "total_price", "revenue",
              "price_paid", "amount_paid", "order_line_total", "row_total", "price", "unit_price", "item_price",
              "sale_price", "item_cost", "lineitem_price", "product_total_price", "product_unit_price", "price_unit",
              "spend", "sales", "金额", "总价", "价格", "单价"),
    "quantity": ("quantity", "qty", "units", "units_sold", "item_count", "count", "qty_ordered", "lineitem_quantity",
                 "product_qty", "product_quantity", "pieces", "数量", "件数"),
    "rating": ("rating", "overall", "stars", "score", "review_score", "评分"),
    "basket": ("basket_id", "basket", "order_id", "invoice_no", "invoice", "transaction_id", "order_number", "order_no",
               "invoice_id", "invoice_number", "receipt_id", "receipt_no", "receipt_number", "receipt", "bill_no",
               "购物篮", "订单id", "订单编号", "订单"),
    "label": ("label", "converted", "conversion", "标签"),
}
_MORE = {
    field: column_words.names(field)
    for field in ("user", "item", "time", "event_type", "value", "quantity", "basket")
}
SESSIONS = ("session_id", "user_session", "session", "visit_id", *column_words.names("session"))
CURRENCIES = ("currency", "currency_code", "币种", "货币")
# Values of one unit: times the quantity, they are those of the row.
UNIT_PRICES = ("price", "unit_price", "item_price", "sale_price", "item_cost", "lineitem_price",
               "product_unit_price", "price_unit", "价格", "单价", *column_words.names("unit_price"))
LOG_NAMES = {field: (*own, *_MORE.get(field, ())) for field, own in COMMON_NAMES.items()}
LOG_NAMES["user"] = (*(name for name in LOG_NAMES["user"] if name not in SESSIONS), *SESSIONS)  # people before visits
LOG_NAMES["value"] += column_words.names("unit_price")
_TITLES = column_words.names("title")
PRODUCTS = ("product", "item", "article", "produkt", "produit", "producto", "produto", "prodotto", "artikel",
            "artículo", "商品", "товар", "ürün", "상품")  # ids, or names beside ids
BEHAVIOUR_NAMES = ("behaviour", "behavior", "行为", "用户行为", "行为记录")
ITEM_NAMES: dict[str, tuple[str, ...]] = {
    "item": LOG_NAMES["item"],
    "title": ("title", "name", "product_name", "item_name", "movie_title", "product_type", "description", "商品名称",
              "名称", "标题", *_TITLES),
    "category": ("category", "product_category", "category_name", "category_code", "item_category", "main_category",
                 "category_id", "cate_id", "cat_id", "genre", "genres", "tag_codes", "类目", "类别", "分类", "品类",
                 *column_words.names("category")),
    "department": ("department", "部门", *column_words.names("department")),
    "brand": ("brand", "品牌", *column_words.names("brand")),
    "price": ("price", "价格", *UNIT_PRICES),
}
# Of a log that brings no item table; "name" may be a user's there, "price" the value of the event.
CONTENT_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "product_name", "item_name", "movie_title", "description", "商品名称", "标题", *_TITLES,
              *PRODUCTS, "label"),
    **{field: ITEM_NAMES[field] for field in ("category", "department", "brand")},
}
# Records whose fields are of a person, a place or an item, and not of an order or an event.
_PEOPLE = ("user", "customer", "account", "profile", "member", "visitor", "client", "buyer", "person", "contact",
           "guest", "seller", "merchant", "store", "shop", "device", "geo", "session", "app", "page")
_GOODS = ("product", "item", "article", "variant", "sku", "listing", "goods", "line")
# fmt: on
_WITHIN = ("user", "item", "time", "event_type", "value", "quantity", "basket")
_OF_ITEMS = ("title", "category", "department", "brand")  # what may be said of people, too, within their records
JOINED = "+"  # data.columns.time="date+hour": several columns as one
NONE = "-"  # asked for as a field's column: the log has none for it


def detect(columns: Iterable[str], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Field -> column, for the fields of `names` that one of the columns is commonly named for. No column twice.

    A field may be named so within a record, "properties.product_id", where one column alone is.
    """
    columns = list(columns)
    whole = {plain(column): column for column in reversed(columns)}
    records = any("." in path for path in _paths(columns))
    fields: dict[str, str] = {}
    for field, wanted in names.items():
        _add(fields, field, whole, wanted)
    for field in (*_WITHIN, *_OF_ITEMS) if records else ():
        if field in names and field not in fields:
            _add(fields, field, *_within(columns, field, names[field]))
    return fields


def _add(fields: dict[str, str], field: str, known: Mapping[str, str], wanted: Iterable[str]) -> None:
    """The first of the wanted names that is known and of no other field, as that of the field."""
    free = (known[name] for name in map(plain, wanted) if name and name in known)
    column = next((column for column in free if column not in fields.values()), None)
    if column is not None:
        fields.setdefault(field, column)


def _within(columns: list[str], field: str, wanted: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Columns within records by the last part of their name, where one alone has it; and the names for the field."""
    paths = _paths(columns)
    if field in _OF_ITEMS:
        paths = {path: column for path, column in paths.items() if not {*_record(path)} & {*_PEOPLE}}
    if field == "title":  # the name of an item, in a record of items
        wanted = (*wanted, "name")
        paths = {
            path: column for path, column in paths.items() if _last(path) != "name" or {*_record(path)} & {*_GOODS}
        }
    if field == "event_type":  # "action" may be of anything there
        wanted = tuple(name for name in wanted if "_" in name)
    last = [_last(path) for path in paths]
    often, named = Counter(last), zip(last, paths.values(), strict=True)
    return {name: column for name, column in named if name and often[name] == 1}, wanted


def _paths(columns: list[str]) -> dict[str, str]:
    """The names of columns, with dots where they are paths, "Order Lines/Product", that begin as those of others do."""
    records = Counter(column.rpartition("/")[0] for column in columns if "." not in column)
    return {_dotted(column, records): column for column in columns}


def _dotted(column: str, records: Mapping[str, int]) -> str:
    record = column.rpartition("/")[0]
    return column.replace("/", ".") if record and records.get(record, 0) > 1 else column


def _record(column: str) -> tuple[str, ...]:
    """What the record of a column is called, as words without a plural's s."""
    words = name_words(column.rpartition(".")[0].rpartition(".")[2])
    return tuple(word.removesuffix("s") for word in words) + words


def own_name(column: str) -> str:
    """What a column is called within the record of an order or an event; whole where it is of a person or an item."""
    of_lines = name_words(column.rpartition(".")[0])[-1:]
    single = {*of_lines} & {*_PEOPLE, *_GOODS}
    return column if "." not in column or single else _last_text(column)


def matching_within(columns: Iterable[str], candidates: Iterable[str]) -> list[str]:
    """As `matching`, also by the name that a column has within the record of an order, its lines or an event."""
    columns, candidates = list(columns), list(candidates)
    whole = matching(columns, candidates)
    own = {plain(own_name(column)): column for column in reversed(columns) if column not in whole}
    return whole + [own[key] for key in dict.fromkeys(map(plain, candidates)) if key in own]


def _last(column: str) -> str:
    """The plain name of a column within a record, "Item.sku.S" (with the type that a database adds); "" for others."""
    return plain(_last_text(column)) if "." in column else ""


def _last_text(column: str) -> str:
    return re.sub(r"(\.(S|N|B|BOOL|\$\w+|string|double|int|long))+$", "", column).rpartition(".")[2]


def pick(columns: list[str], by_hand: Mapping[str, str]) -> dict[str, str]:
    """Field of a log -> column: those asked for, and the others detected. UserError if one asked for is not there.

    A field asked for as `NONE` has no column, whatever names the log has.
    """
    chosen = {field: name for field, name in by_hand.items() if name not in ("", NONE)}
    for field, name in chosen.items():
        if name not in columns:
            near = difflib.get_close_matches(name, columns, 1)
            hint = f"did you mean {near[0]!r}?" if near else "name one of these"
            raise UserError(f"data.columns.{field}={name!r} is not in the log, which has {listing(columns)}; {hint}")
    for first, other in combinations(("user", "item", "time"), 2):
        if first in chosen and chosen[first] == chosen.get(other):
            raise UserError(
                f"data.columns.{first} and data.columns.{other} are both {chosen[first]!r}; each needs a column of its "
                "own"
            )
    free = [column for column in columns if column not in chosen.values()]
    fields = detect(free, {field: names for field, names in LOG_NAMES.items() if not by_hand.get(field)})
    if "item" not in chosen and "item" not in fields and not by_hand.get("behaviour"):
        # Without an item column, a behaviour column holds both: what was done, and with which item.
        texts = detect(free, {"behaviour": BEHAVIOUR_NAMES})
        fields = {field: column for field, column in fields.items() if column not in texts.values()} | texts
    if "basket" not in {**chosen, **fields} and not by_hand.get("basket") and matching(free, ("lineitem_name",)):
        fields |= detect(
            [name for name in free if name not in fields.values()], {"basket": ("name",)}
        )  # of a Shopify order
    return chosen | fields


def joined_parts(columns: list[str], name: str) -> list[str]:
    """The columns that "a+b" asks for as one; none where it is a column itself, or one of them is not there."""
    parts = name.split(JOINED)
    return parts if len(parts) > 1 and name not in columns and {*parts} <= {*columns} else []


def is_unit_price(column: str) -> bool:
    """Whether a column is commonly named so for the price of one unit."""
    return plain(column) in map(plain, UNIT_PRICES)


def matching(columns: Iterable[str], candidates: Iterable[str]) -> list[str]:
    """Those of `columns` that bear one of the names, in the order of the names."""
    known = {plain(column): column for column in reversed(list(columns))}
    return [known[key] for key in dict.fromkeys(map(plain, candidates)) if key in known]


def missing(field: str, columns: list[str], otherwise: str = "", candidates: str = "", also: str = "") -> UserError:
    """The error to raise where a log has no column for a field it needs; `candidates` could be it by what they hold.

    `also`: another field that it needs and has no column for, to be said at once.
    """
    header = " (is the header line missing from the file?)" if any(_is_number(name) for name in columns) else ""
    more = f"; nor is one for the {also}, such as {', '.join(LOG_NAMES[also][:3])}: set it, too" if also else ""
    return UserError(
        f"expected a column for the {field}, such as {', '.join(LOG_NAMES[field][:3])}; the log has {listing(columns)}"
        f"{header}; {candidates}set data.columns.{field}{otherwise}{more}"
    )


def listing(columns: list[str]) -> str:
    """The names of columns in one line, at most 30 of them."""
    return "the columns " + ", ".join(columns[:30]) + (", ..." if len(columns) > 30 else "")


@lru_cache(20_000)
def plain(name: str) -> str:
    """A column's name by its letters and digits alone, without case and accents, in simplified Chinese: "Kunden-Nr.",
    "kunden_nr".
    """
    name = simplified(re.sub("[º°]", "", name.replace("№", "n").replace("ł", "l")))
    parts = unicodedata.normalize("NFKD", name).casefold()
    return "".join(mark for mark in parts if mark.isalnum()) or name.strip()


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(\.\d+)?", text.strip()))
