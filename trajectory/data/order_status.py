"""Orders that came to nothing: a column of an order's status says which rows are no sales."""

from __future__ import annotations

import re

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.columns import detect, matching
from trajectory.data.findings import Findings
from trajectory.data.values import texts
from trajectory.schema import UserError

# fmt: off
NAMES = ("order_status", "financial_status", "payment_status", "status", "state", "order_state", "bestellstatus",
         "zahlungsstatus", "statut", "estado", "订单状态", "支付状态", "状态")
_OF_ORDERS = tuple(name for name in NAMES if name not in {"status", "state", "statut", "estado", "状态"})
NO_SALE = ("cancelled", "canceled", "cancel", "refunded", "refund", "fully refunded", "returned", "return", "voided",
           "void", "failed", "failure", "payment failed", "declined", "rejected", "denied", "unpaid", "not paid",
           "pending", "pending payment", "payment pending", "awaiting payment", "on hold", "draft", "abandoned",
           "expired", "error", "unavailable", "checkout draft", "chargeback", "fraud", "suspected fraud", "storniert",
           "erstattet", "offen", "unbezahlt", "annulé", "annulée", "remboursé", "remboursée", "cancelado", "cancelada",
           "reembolsado", "pendiente", "devolvido", "aguardando", "aguardando pagamento", "annullato", "rimborsato",
           "geannuleerd", "terugbetaald", "已取消", "已退款", "退款成功", "未付款", "待付款", "待支付", "交易关闭")
SALE = ("paid", "complete", "completed", "delivered", "shipped", "shipping", "processing", "fulfilled", "invoiced",
        "approved", "closed", "success", "successful", "succeeded", "captured", "authorized", "partially refunded",
        "partially paid", "partially shipped", "partially fulfilled", "dispatched", "sent", "received", "ok", "done",
        "in transit", "ready for pickup", "confirmed", "created", "placed", "new", "open", "bezahlt", "versendet",
        "abgeschlossen", "geliefert", "payé", "payée", "livré", "livrée", "expédié", "expédiée", "terminé", "pagado",
        "enviado", "entregado", "completado", "entregue", "pago", "concluído", "consegnato", "spedito", "pagato",
        "verzonden", "betaald", "已付款", "已支付", "已完成", "已发货", "待发货", "交易成功")
# fmt: on
_USERS = 20  # with several events, before their status is told from that of orders
_HISTORY = 0.1  # of the items of orders
_WORDS = 30  # of a status at most
_KNOWN = 0.5  # of the rows that have a status: with fewer known words the column is of something else


def failed_orders(
    table: pl.DataFrame, columns: dict[str, pl.Series], used: set[str], data: ConfigDict, said: Findings
) -> tuple[str, pl.Series] | None:
    """The column of the status of orders, and Boolean: rows whose order came to nothing; None without such a column.

    `columns` are the canonical ones that were found, `used` the table's that mean something else. UserError if the
    column that `data.columns.status` names is not there.
    """
    asked = data.columns.status
    if asked and asked != "-" and asked not in table.columns:
        raise UserError(f"data.columns.status={asked!r} is not in the log; name one of {', '.join(table.columns[:30])}")
    free = [name for name in table.columns if name not in used]
    name = asked or detect(free, {"status": NAMES}).get("status", "-")
    if name == "-":
        return None
    raw = texts(table[name])
    words = {word: _plain(word) for word in raw.drop_nulls().unique().to_list()}
    no_sale, sale = set(map(_plain, NO_SALE)), set(map(_plain, SALE))
    counts = dict(raw.drop_nulls().value_counts(sort=True).iter_rows())
    known = sum(rows for word, rows in counts.items() if words[word] in no_sale | sale)
    if not asked and known < max(_KNOWN * sum(counts.values()), 1):
        if matching([name], _OF_ORDERS) or no_sale & {*words.values()}:
            _say_unknown(name, counts, "kind" in columns, said)
        return None
    if not asked and "kind" in columns and _of_users(raw, columns["user"]):
        text = f"{name} is the same in all events of a user, and is not read as the status of orders"
        said.note("order status", text, f"data.columns.status={name}", warning=True)
        return None
    if "basket" in columns:
        _say_history(raw, columns, name, said)
    off, on = "data.columns.status=-", f"{name} is read as the status of orders"
    listed = [f"{word!r} {rows:,}x" for word, rows in counts.items() if words[word] in no_sale]
    said.note("order status", f"{on}; no sales, kept and not read: {', '.join(listed[:10]) or 'none'}", off)
    strange = [f"{word!r} {rows:,}x" for word, rows in counts.items() if words[word] not in no_sale | sale]
    if strange:
        said.note("order status", f"not known, taken as sales: {', '.join(strange[:10])}", off, warning=True)
    return name, raw.is_in([word for word, plain in words.items() if plain in no_sale]).fill_null(False)


def _say_unknown(name: str, counts: dict[str, int], typed: bool, said: Findings) -> None:
    """Warns of a column that is called a status of orders, and whose words are few and mostly not known."""
    if 1 < len(counts) <= _WORDS:
        words = ", ".join(f"{word!r} {rows:,}x" for word, rows in [*counts.items()][:10])
        text = f"{name} is not read, most of its words are not known ({words}): do some mean that an order was no sale?"
        both = f"data.columns.status={name} takes those that are known"
        split = f"{both}, data.columns.kind={name} with data.kind_map={{WORD: purchase or failed_order}} all"
        said.note("order status", text, both if typed else split, warning=True)


def _of_users(status: pl.Series, user: pl.Series) -> bool:
    """Whether the status never changes among the events of a user, as that of an account."""
    each = (
        pl.DataFrame({"user": user, "status": status})
        .drop_nulls()
        .group_by("user")
        .agg(pl.len(), pl.n_unique("status"))
    )
    each = each.filter(pl.col("len") > 1)
    return each.height >= _USERS and bool((each["status"] == 1).all())


def _say_history(status: pl.Series, columns: dict[str, pl.Series], name: str, said: Findings) -> None:
    """Warns where the lines of orders stand in several rows, one for each status they went through."""
    rows = pl.DataFrame({"basket": columns["basket"], "item": columns["item"], "status": status}).drop_nulls()
    several = rows.group_by("basket", "item").agg(pl.n_unique("status"))["status"] > 1
    if several.any() and several.mean() >= _HISTORY:  # type: ignore[operator]
        text = (
            f"{int(several.sum()):,} of {len(several):,} items of an order stand in several rows, one for each {name}"
        )
        more = ": each row counts as an event; leave the last one of each in the file"
        said.note("order status", text + more, warning=True)


def _plain(word: str) -> str:
    return re.sub(r"[\s_\-]|^wc-", "", word.lower())
