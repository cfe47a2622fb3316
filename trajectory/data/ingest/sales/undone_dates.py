"""Columns of when a sale was cancelled, refunded or returned: filled on the rows that were, as shops export them."""

from __future__ import annotations

import math

import polars as pl

from trajectory.data.ingest.cells.parsing import is_text, texts
from trajectory.data.ingest.columns.name_words import name_words
from trajectory.data.ingest.findings import Findings
from trajectory.data.times import DAY, STEP, times_of
from trajectory.schema import UserError

# How words begin that undo a sale, in the languages of order_status.toml.
# fmt: off
_CANCELLED = ("cancel", "void", "storn", "annul", "anul", "geannul", "zruš", "отмен", "iptal", "取消",
              "キャンセル", "취소", "delete", "revers")
_RETURNED = ("refund", "retur", "chargeback", "rückgabe", "rücksend", "zurückge", "retour", "retoure", "erstatt",
             "rückerstatt", "rembours", "reembols", "rimbors", "restitui", "devol", "devuel", "terugbetaal",
             "teruggestuur", "geretour", "zwrot", "zwrócon", "vrácen", "palaute", "palautu", "återlämn", "återbetal",
             "возвра", "iade", "dikembalikan", "pengembalian", "退款", "退货", "退貨", "返品", "返金", "반품", "환불")
_RETURNED_WHOLE = ("reso", "resa", "resi", "rese")  # other words begin so: "resale"
_RETURNED_IN_TWO = ("trả lại", "trả hàng", "hoàn trả", "hoàn tiền")
_WHEN = ("at", "on", "date", "time", "datetime", "timestamp", "ts", "datum", "zeit", "fecha", "data", "dato", "дата",
         "tarihi", "时间", "日期", "日時", "日", "일시", "일")
# Of what may come.
_TO_COME = ("window", "deadline", "until", "due", "expected", "policy", "eligible", "planned", "estimated", "latest",
            "before", "expiry", "expires", "allowed", "returning", "returnable", "refundable", "cancellable")
# Of what else than a sale is said to be so, and of a row that is one itself.
_NO_SALES_OF = ("user", "customer", "account", "client", "visitor", "member", "subscription", "product", "item",
                "coupon", "label", "free", "reason", "session", "cart", "show", "shown", "button")
_ITSELF = ("return", "refund", "chargeback", "cancel", "reversal")
# fmt: on
_ENDS = ("date", "datum", "time", "timestamp")  # of words written together: "returndate", "Stornodatum"
_NEVER = r"^(?:0+(?:\.0+)?|-1|0000-00-00.*|0001-01-01.*|1970-01-01.*|9999-.*)$"  # as databases write it
_LOOKED_AT, _MOSTLY = 1000, 0.9
_PART = 0.5  # of the sales at most: what nearly all have is when goods are due back, or may be
_CHANCE = 0.01  # that only first lines of orders are filled, below which that is how an order is written


def undone(
    table: pl.DataFrame, names: list[str], sale: pl.Series, known: pl.Series, back: bool, said: Findings
) -> dict[str, pl.Series]:
    """Boolean columns of sales that were undone, by the name of the column that tells it.

    `names`: columns that may be read; `sale`: Boolean, rows that sell, of which others may tell that they were undone
    (`known`); `back`: whether the log has rows of returns, which a date of a return beside a sale would say again.
    """
    named = [name for name in names if undoes(name)]
    dates = {name: date for name in named if _is_date(name) and (date := dated(table[name])) is not None}
    others = {name: filled_in(table[name]) for name in named if name not in dates and is_text(table[name])}
    changed = dict[str, pl.Series]()
    for name, filled in (dates | others).items():
        rows = int((filled & sale & ~known).sum())
        few, again = rows <= _PART * int(sale.sum()), back and tells_of_return(name)
        if rows and name in dates and few and not again:
            changed[name], known = filled, known | filled
        elif rows and (name in dates or few):
            text = f"{name} is filled in {rows:,} rows of sales, and is not read: were these taken back?"
            said.note("no sales", text, f"data.no_sale_flags={name} if they were", warning=True)
    return changed


def dated(column: pl.Series) -> pl.Series | None:
    """Boolean: where a column of times has one; None for a column of something else, or of none."""
    if not (is_text(column) or column.dtype.is_numeric() or column.dtype in (pl.Date, pl.Datetime)):
        return None
    filled = filled_in(column)
    sample = column.filter(filled).head(_LOOKED_AT)
    try:
        times = times_of(sample, "auto", "yes", Findings())
    except UserError:
        return None
    late = (times.seconds > DAY).sum()
    return filled if len(sample) and times.unit != STEP and late >= _MOSTLY * len(sample) else None


def filled_in(column: pl.Series) -> pl.Series:
    """Where a cell holds something, and not what databases write for never."""
    text = texts(column)
    return text.is_not_null() & ~text.str.contains(_NEVER).fill_null(False)


def tells_of_return(name: str) -> bool:
    """Whether a column is called by a word for returns or refunds."""
    words = name_words(name)
    in_two = any(pair in " ".join(words) for pair in _RETURNED_IN_TWO)
    return _begins(name, _RETURNED) or in_two or bool({*words} & {*_RETURNED_WHOLE})


def of_whole_orders(filled: pl.Series, basket: pl.Series) -> pl.Series | None:
    """The same for all lines of an order, where only first lines are filled and that is no chance; else None."""
    rows = pl.DataFrame({"basket": basket, "filled": filled})
    orders = rows.drop_nulls().group_by("basket", maintain_order=True)
    per_order = orders.agg(
        pl.col("filled").first().alias("first"), pl.col("filled").sum().alias("rows"), lines=pl.len()
    )
    per_order = per_order.filter((pl.col("rows") > 0) & (pl.col("lines") > 1))
    alone = (per_order["first"] & (per_order["rows"] == 1)).all()
    if not alone or -float(per_order["lines"].log().sum()) > math.log(_CHANCE):
        return None
    return rows.select(
        pl.when(pl.col("basket").is_null()).then("filled").otherwise(pl.col("filled").any().over("basket"))
    ).to_series()


def undoing_flag(name: str) -> bool:
    """Whether a column of yes or no is called so for a sale that was undone: "order_cancelled", "Order_Returned"; not
    for a date, for a person, for what is told beside a sale, or for a row that is itself a return.
    """
    words = {word.removesuffix("s") for word in name_words(name)}
    return undoes(name) and not _is_date(name) and not words & {*_NO_SALES_OF, *_ITSELF}


def asking_flag(name: str) -> bool:
    """Whether a column of yes or no may say that a sale was undone, and may say something else: "refund_requested"."""
    words = {word.removesuffix("s") for word in name_words(name)}
    return undoes(name) and not _is_date(name) and bool(words & {*_ITSELF}) and not words & {*_NO_SALES_OF}


def undoes(name: str) -> bool:
    """Whether a column is called so for what undoes a sale: "cancelled_at", "Stornodatum", "refund reason"."""
    return (_begins(name, _CANCELLED) or tells_of_return(name)) and not {*name_words(name)} & {*_TO_COME}


def _is_date(name: str) -> bool:
    return any(word in _WHEN or word.endswith(_ENDS) or _marked(word, _WHEN) for word in name_words(name))


def _begins(name: str, stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stems) or _marked(word, stems) for word in name_words(name))


def _marked(word: str, parts: tuple[str, ...]) -> bool:
    """Whether a word of a writing that does not part words holds one of the parts."""
    return any(part in word for part in parts if ord(part[0]) >= 0x2E80)
