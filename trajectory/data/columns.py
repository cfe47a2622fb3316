"""Which column of a table means what: as asked for in the config, else by common English and Chinese names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from trajectory.schema import UserError

# Earlier names win where a table has several. Compared without case, spaces, "_" and "-".
# fmt: off
LOG_NAMES: dict[str, tuple[str, ...]] = {
    "user": ("user_id", "user", "uid", "customer_id", "customer", "visitor_id", "household_id", "member_id", "buyer_id",
             "shopper_id", "reviewer_id", "client_id", "用户id", "用户", "用户编号", "会员id", "会员",
             "顾客", "session_id"),
    "item": ("item_id", "item", "product_id", "product", "sku", "sku_id", "asin", "parent_asin", "goods_id", "movie_id",
             "article_id", "video_id", "track_id", "song_id", "artist_id", "stock_code", "商品id", "商品", "商品编号",
             "物品id", "物品"),
    "time": ("timestamp", "event_time", "event_timestamp", "datetime", "time", "ts", "transaction_timestamp",
             "unix_time", "created_at", "invoice_date", "order_date", "date", "day", "时间", "时间戳",
             "行为时间", "日期"),
    "position": ("position", "位置", "序号"),
    "kind": ("event_type", "event", "behavior_type", "behaviour_type", "behavior", "behaviour", "action", "action_type",
             "kind", "行为类型", "行为", "事件"),
    "value": ("value", "sales_value", "amount", "price", "revenue", "金额", "价格"),
    "basket": ("basket_id", "basket", "order_id", "invoice_no", "transaction_id", "购物篮", "订单id", "订单编号",
               "订单"),
    "label": ("label", "converted", "conversion", "标签"),
}
BEHAVIOUR_NAMES = ("behaviour", "behavior", "行为", "用户行为", "行为记录")
ITEM_NAMES: dict[str, tuple[str, ...]] = {
    "item": LOG_NAMES["item"],
    "title": ("title", "name", "product_name", "item_name", "movie_title", "product_type", "description", "商品名称",
              "名称", "标题"),
    "category": ("category", "product_category", "category_name", "category_code", "category_id", "genre", "tag_codes",
                 "类目", "类别", "分类", "品类"),
    "department": ("department", "部门"),
    "brand": ("brand", "品牌"),
    "price": ("price", "价格"),
}
# Of a log that brings no item table; "name" may be a user's there, "price" the value of the event.
CONTENT_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "product_name", "item_name", "movie_title", "商品名称", "标题"),
    **{field: ITEM_NAMES[field] for field in ("category", "department", "brand")},
}
# fmt: on


def detect(columns: Iterable[str], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Field -> column, for the fields of `names` that one of the columns is commonly named for. No column twice."""
    plain = {_plain(column): column for column in reversed(list(columns))}
    found: dict[str, str] = {}
    for field, candidates in names.items():
        columns_left = (plain[_plain(name)] for name in candidates if _plain(name) in plain)
        column = next((column for column in columns_left if column not in found.values()), None)
        if column is not None:
            found[field] = column
    return found


def pick(columns: list[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Field of a log -> column: those asked for, and the others detected. UserError if one asked for is not there."""
    chosen = {field: name for field, name in asked.items() if name}
    for field, name in chosen.items():
        if name not in columns:
            near = difflib.get_close_matches(name, columns, 1)
            hint = f"did you mean {near[0]!r}?" if near else "name one of these"
            raise UserError(f"data.columns.{field}={name!r} is not in the log, which has {listing(columns)}; {hint}")
    free = [column for column in columns if column not in chosen.values()]
    found = detect(free, {field: names for field, names in LOG_NAMES.items() if field not in chosen})
    if "item" not in chosen and "item" not in found and "behaviour" not in chosen:
        # Without an item column, a behaviour column holds both: what was done, and with which item.
        texts = detect(free, {"behaviour": BEHAVIOUR_NAMES})
        found = {field: column for field, column in found.items() if column not in texts.values()} | texts
    return chosen | found


def missing(field: str, columns: list[str], otherwise: str = "") -> UserError:
    """The error to raise where a log has no column for a field it needs."""
    header = " (is the header line missing from the file?)" if any(_is_number(name) for name in columns) else ""
    return UserError(
        f"expected a column for the {field}, such as {', '.join(LOG_NAMES[field][:3])}; the log has {listing(columns)}"
        f"{header}; set data.columns.{field}{otherwise}"
    )


def listing(columns: list[str]) -> str:
    """The names of columns in one line, at most 30 of them."""
    return "the columns " + ", ".join(columns[:30]) + (", ..." if len(columns) > 30 else "")


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name).lower()


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(\.\d+)?", text.strip()))
