"""Orders that came to nothing: a column of an order's status says which rows are no sales."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.columns.detect import matching_within
from trajectory.data.ingest.findings import Findings, counted
from trajectory.data.ingest.sales.event_types import canonical, of_sales, roles
from trajectory.data.ingest.sales.orders import of_order
from trajectory.schema import UserError

_WORDS_OF = tomllib.loads(files(__package__).joinpath("order_status.toml").read_text("utf-8"))
_OF_ORDERS, _PLAIN = _WORDS_OF["of_orders"], _WORDS_OF["of_anything"]  # of_anything: may be of users or items
NAMES = (*_OF_ORDERS, *_PLAIN)
NO_SALE, SALE = _WORDS_OF["no_sale"], _WORDS_OF["sale"]
# In longer texts, "Cancelada por el comprador", "Shipped - Returned to Seller"; in part is not undone.
_UNDONE = re.compile(
    r"^(?!.*(?:part|not |no |teil|не )).*"
    r"(?:\b(?:cancel|cancl|refund|reembols|rimbors|rembours|terugbetaal|storn|annul|anul|returned|retourn|devol|devuel|"
    r"zwr[oó]|отмен|возвра|iptal|iade|voided)|キャンセル|返品|返金|취소|반품|환불|退款成功|已取消|已退款)"
)
# Not paid yet, "En attente de virement bancaire", "pending_paypal"; delivered or paid, "Shipped - Delivered to Buyer".
_UNPAID = re.compile(
    r"\b(?:pending|await\w*|waiting|attente|ausstehend\w*|warte\w*|aguardando|esper\w+|pendente|pendiente|attesa|"
    r"afwachting|wacht\w*|oczek\w+|ожида\w+|ček\w+|bekl\w+)\b.*(?:pay|check|cheque|wire|transfer|paiement|virement|"
    r"chèque|zahlung|überweisung|vorkasse|pago|transferencia|pagamento|transferência|boleto|bonifico|betaling|"
    r"overschrijving|płatno|wpłat|przelew|оплат|platb|ödeme|havale)|\bnot paid\b|\bnon payé"
)
_DONE = re.compile(
    r"^(?!.*\b(?:not|non|nicht|no|não|niet|nie|lost|damaged|reject\w*|refus\w*|fail\w*|undeliver\w*|return\w*)\b).*"
    r"\b(?:delivered|shipped|completed|fulfilled|picked up|accepted|paid|zugestellt|geliefert|versendet|bezahlt|"
    r"livrée?|expédiée?|acceptée?|payée?|entregad[oa]|enviad[oa]|pagad[oa]|entregue|consegnat[oa]|spedit[oa]|bezorgd|geleverd|"
    r"betaald|dostarczon[eoy]|wysłan[eoy]|opłacon[eoy]|доставлен[оаы]?|оплачен[оаы]?|"
    r"doručen[oaý]?|teslim edildi)\b"
)
_IS, _IS_NOT = "sale", "no_sale"  # meanings of data.status_map
_CHANCE = 1e-3  # that no user's orders differ in status, below which the status is that of users
_HISTORY = 0.1  # of the items of orders
_WORDS = 30  # of a status at most
_SHOWN = 10
_KNOWN = 0.5  # of the rows that have a status: with fewer known words the column is of something else


def failed_orders(
    table: pl.DataFrame, columns: dict[str, pl.Series], used: set[str], data: ConfigDict, said: Findings
) -> tuple[str, pl.Series] | None:
    """The column of the status of orders, and Boolean: rows whose order came to nothing; None without such a column.

    `columns` are the canonical ones that were found, `used` the table's that mean something else. UserError if the
    column that `data.columns.status` names is not there.
    """
    by_hand = data.columns.status
    if by_hand and by_hand != "-" and by_hand not in table.columns:
        raise UserError(
            f"data.columns.status={by_hand!r} is not in the log; name one of {', '.join(table.columns[:30])}"
        )
    meant = _meant(data)
    free = [name for name in table.columns if name not in used]
    name = by_hand or next(iter(matching_within(free, NAMES)), "-")
    if name == "-":
        return None
    raw = texts(table[name])
    if "basket" in columns:
        filled = of_order(raw, columns["basket"])
        if rows := raw.null_count() - filled.null_count():
            said.note("order status", f"{rows:,} lines without {name} have that of their order")
        raw = filled
    words = {word: _plain(word) for word in raw.drop_nulls().unique().to_list()}
    no_sale, sale = set(map(_plain, NO_SALE)), set(map(_plain, SALE))
    longer = {_lower(word).replace("_", " "): plain for word, plain in words.items() if plain not in no_sale | sale}
    no_sale |= {plain for word, plain in longer.items() if _UNDONE.search(word) or _UNPAID.search(word)}
    sale |= {plain for word, plain in longer.items() if plain not in no_sale and _DONE.search(word)}
    no_sale, sale = no_sale - meant[_IS] | meant[_IS_NOT], sale - meant[_IS_NOT] | meant[_IS]
    counts = dict(raw.drop_nulls().value_counts(sort=True).iter_rows())
    known = sum(rows for word, rows in counts.items() if words[word] in no_sale | sale)
    if not by_hand and known < max(_KNOWN * sum(counts.values()), 1):
        of_orders = matching_within([name], _OF_ORDERS) or no_sale & {*words.values()}
        if of_orders or (_are_codes(raw) and _sells(columns, data) and not _of_something_else(raw, columns, data)):
            _say_unknown(name, counts, said)
        return None
    if not by_hand and matching_within([name], _PLAIN) and (why := _of_something_else(raw, columns, data)):
        text = f"{name} is not read as the status of orders: {why}"
        said.note("order status", text, f"data.columns.status={name}", warning=True)
        return None
    if "basket" in columns:
        _say_history(raw, columns, name, said)
    failed = raw.is_in([word for word, plain in words.items() if plain in no_sale]).fill_null(False)
    sold = of_sales({**columns, "failed": failed}, data)
    if sold is None or not sold.any():
        said.note("order status", f"{name} is not read as the status of orders: no row is a sale", "data.event_types")
        return None
    _say(name, raw, sold, words, no_sale, sale, said)
    return name, failed


def are_states(words: Iterable[str], others: Iterable[str]) -> bool:
    """Whether most of the words of a column are known of a status, and one of the `others`, which are no types of
    event, means that an order is a sale.
    """
    plain = {word: _plain(word) for word in words}
    no_sale, sale = set(map(_plain, NO_SALE)), set(map(_plain, SALE))
    known = [plain[word] in no_sale | sale or bool(_UNPAID.search(_lower(word))) for word in plain]
    return 2 * sum(known) > len(known) and any(plain[word] in sale for word in others)


def _are_codes(status: pl.Series) -> bool:
    """Whether a status is of numbers alone, which say nothing by themselves."""
    return bool(status.drop_nulls().str.contains(r"^\d{1,4}(?:\.0)?$").all())


def _sells(columns: dict[str, pl.Series], data: ConfigDict) -> bool:
    sale = of_sales(columns, data, back=False)
    return sale is not None and bool(sale.any())


def _meant(data: ConfigDict) -> dict[str, set[str]]:
    """Words (plain form) of `data.status_map` that mean a sale, and that mean none. UserError for another meaning."""
    for word, meaning in data.status_map.items():
        if meaning not in (_IS, _IS_NOT):
            raise UserError(f"data.status_map maps {word!r} to {meaning!r}; expected {_IS} or {_IS_NOT}")
    return {kind: {_plain(word) for word, own in data.status_map.items() if own == kind} for kind in (_IS, _IS_NOT)}


def _say(
    name: str, raw: pl.Series, sold: pl.Series, words: dict[str, str], no_sale: set[str], sale: set[str], said: Findings
) -> None:
    """Tells which words of a status, in rows of sales, were read as none, and which are not known."""
    counts = dict(raw.filter(sold).drop_nulls().value_counts(sort=True).iter_rows())
    on = f"{name} is read as the status of orders"
    setting = "data.columns.status=-, or data.status_map={WORD: 'sale'} for one of them"
    failed = [(word, rows) for word, rows in counts.items() if words[word] in no_sale]
    shown = counted(failed[:_SHOWN]) or "none"
    said.note("order status", f"{on}; no sales, kept and not read: {shown}", setting, bool(failed))
    unknown = [(word, rows) for word, rows in counts.items() if words[word] not in no_sale | sale]
    if unknown:
        setting = f"data.status_map={{{unknown[0][0]!r}: 'sale'}}, or 'no_sale'; so for each"
        said.note("order status", f"not known, taken as sales: {counted(unknown[:_SHOWN])}", setting, warning=True)
    if blank := int((sold & raw.is_null()).sum()):
        said.note("order status", f"{blank:,} rows have no {name}, taken as sales", "data.columns.status", warning=True)


def _say_unknown(name: str, counts: dict[str, int], said: Findings) -> None:
    """Warns of a column that is called a status of orders, and whose words are few and mostly not known."""
    if 1 < len(counts) <= _WORDS:
        words = counted([*counts.items()][:_SHOWN])
        text = f"{name} is not read, most of its words are not known ({words}): do some mean that an order was no sale?"
        setting = f"data.columns.status={name} with data.status_map={{WORD: 'sale' or 'no_sale'}}"
        said.note("order status", text, setting, warning=True)


def _of_something_else(status: pl.Series, columns: dict[str, pl.Series], data: ConfigDict) -> str:
    """Why a status is none of orders: events without an order have it, or it never differs among a user's orders."""
    if "event_type" in columns:
        alone = [event_type for event_type, own in roles(data).items() if "sale" not in own]
        if (canonical(columns["event_type"], data).is_in(alone) & status.is_not_null()).any():
            return "events that are no sales have it too"
    orders = pl.DataFrame({"user": columns["user"], "status": status}).with_columns(
        columns.get("basket", columns.get("time", pl.int_range(len(status), eager=True))).alias("order")
    )
    orders = orders.drop_nulls().unique(["user", "order"])
    per_user = orders.group_by("user").agg(pl.len(), pl.n_unique("status"))
    shares = (orders["status"].value_counts()["count"] / max(orders.height, 1)).to_numpy()
    alike = (shares ** per_user["len"].to_numpy()[:, None]).sum(1)  # the chance that a user's orders have one status
    same = bool((per_user["status"] == 1).all()) and np.log(alike).sum() < np.log(_CHANCE)
    return "it is the same in all orders of a user" if same else ""


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
    return re.sub(r"[\s_\-]|^wc-", "", _lower(word))


def _lower(word: str) -> str:
    """In lower case; that of a Turkish İ is two letters for Unicode, of which the dot is left off."""
    return word.lower().replace("\u0307", "")
