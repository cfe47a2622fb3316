"""The sign of what is sold: ledgers of a stock and of accounts write sales below 0, as goods go out."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.findings import Findings, clip, quoted
from trajectory.data.ingest.sales.event_types import canonical, default_event_type, plain_word, roles, selling_types
from trajectory.schema import FAILED, UserError

SIGNS = ("auto", "plus", "minus")
_ROWS, _NEARLY = 20, 0.8  # rows at least, and share of them below 0, from which sales are written so
# Words that may be of what a shop buys itself, where others are of what it sells.
_BOUGHT = ("purchase", "purchased", "buy", "bought", "compra", "achat", "acquisto", "购买", "购入", "購入")
_SOLD = ("sale", "sold", "cash sale", "sales order", "sales invoice", "verkauf", "vente", "venta", "vendita", "venda",
         "verkoop", "sprzedaż", "продажа", "売上")  # fmt: skip


def with_signs(
    columns: dict[str, pl.Series], fields: dict[str, str], data: ConfigDict, said: Findings
) -> dict[str, pl.Series]:
    """Quantity and value of sales, in which what is sold is above 0; `void`: Boolean, where goods came in instead.

    `columns` are the canonical ones that were found. With `data.sign_of_sales` of "auto" the sign is turned of each
    word for a sale whose amounts are below 0 in nearly all rows. UserError for an unknown one.
    """
    if data.sign_of_sales not in SIGNS:
        raise UserError(f"data.sign_of_sales={data.sign_of_sales!r} is unknown; expected one of {', '.join(SIGNS)}")
    if data.sign_of_sales == "plus":
        return {}
    below = [field for field in ("quantity", "value") if field in columns and (columns[field] < 0).any()]
    word, signed = _words(columns, data) if below else None, dict[str, pl.Series]()
    for field in below:
        if word is None:
            break
        words = _written_below(word, columns[field]) if data.sign_of_sales == "auto" else word.drop_nulls().unique()
        turned = word.is_in(words.implode()).fill_null(False)
        if turned.any():
            signed[field] = pl.select(pl.when(turned).then(-columns[field]).otherwise(columns[field])).to_series()
        if turned.any() and data.sign_of_sales == "auto":
            _say_turned(fields[field], words, columns[field].filter(turned), said)
        if field == "quantity" and turned.any() and (bought := _coming_in(word, turned, columns[field], data)).any():
            signed["void"] = bought
            _say_coming_in(word.filter(bought), said)
    if "void" not in signed and "event_type" in columns:
        _doubt_bought(columns["event_type"], data, said)
    return signed


def _words(columns: dict[str, pl.Series], data: ConfigDict) -> pl.Series | None:
    """Of each row the word for a sale, "" where the log has no words; null in other rows, None without sales."""
    selling = selling_types(roles(data))
    if "event_type" in columns:
        sale = canonical(columns["event_type"], data).is_in(selling).fill_null(False)
        return columns["event_type"].cast(pl.String).fill_null("").set(~sale, None)
    return (
        pl.Series([""]).new_from_index(0, len(columns["item"]))
        if default_event_type(columns, data)[0] in selling
        else None
    )


def _written_below(word: pl.Series, amount: pl.Series) -> pl.Series:
    """The words whose amounts are below 0 in nearly all rows."""
    rows = pl.DataFrame({"word": word, "amount": amount}).drop_nulls().filter(pl.col("amount") != 0)
    shares = rows.group_by("word").agg(pl.len(), below=(pl.col("amount") < 0).mean()).sort("len", descending=True)
    return shares.filter((pl.col("len") >= _ROWS) & (pl.col("below") >= _NEARLY))["word"]


def _coming_in(word: pl.Series, turned: pl.Series, quantity: pl.Series, data: ConfigDict) -> pl.Series:
    """Rows of words for a sale, but of `data.event_type_map`, whose goods come in while those of others go out."""
    by_hand = {plain_word(text) for text in data.event_type_map}
    rows = pl.DataFrame({"word": word, "amount": quantity}).filter(~turned).drop_nulls()
    shares = rows.group_by("word").agg(above=(pl.col("amount") > 0).mean())
    bought = [text for text, above in shares.iter_rows() if above >= _NEARLY and plain_word(text) not in by_hand]
    return word.is_in(bought).fill_null(False)


def _say_turned(name: str, words: pl.Series, amount: pl.Series, said: Findings) -> None:
    below = f"{int((amount < 0).sum()):,} of {amount.count():,} sales"
    named = quoted(word for word in words if word)
    text = f"{name} is below 0 in {below}{f' ({named})' if named else ''}, as where goods go out of a stock"
    reading = "the sign is turned, and what is above 0 there is a return"
    said.note("sales", f"{text}: {reading}", "data.sign_of_sales=plus (below 0 is a return)", warning=True)


def _say_coming_in(bought: pl.Series, said: Findings) -> None:
    for word, rows in bought.value_counts(sort=True).iter_rows():
        text = f"{clip(word)!r} has goods coming in ({rows:,} rows) while those of sales go out: bought from suppliers"
        setting = f"data.event_type_map={{{clip(word)!r}: 'purchase'}} counts them as sales"
        said.note("sales", f"{text}, so no sales, kept and not read", setting, warning=True)


def _doubt_bought(event_type: pl.Series, data: ConfigDict, said: Findings) -> None:
    """Warns of a word for buying in a log that has one for selling, too, unless `data.event_type_map` has it."""
    counted = event_type.drop_nulls().value_counts(sort=True, name="rows").cast({event_type.name: pl.String})
    counts = dict(
        counted.filter(canonical(counted[event_type.name], data).is_in(selling_types(roles(data)))).iter_rows()
    )
    sold = [text for text in counts if _one_of(text, _SOLD)]
    by_hand = {plain_word(text) for text in data.event_type_map}
    for text in counts if sold else ():
        if _one_of(text, _BOUGHT) and plain_word(text) not in by_hand:
            beside = f"{clip(text)!r} ({counts[text]:,} rows) counts as a sale, beside {clip(sold[0])!r}"
            setting = f"data.event_type_map={{{clip(text)!r}: '{FAILED}'}} counts them as none"
            said.note("sales", f"{beside}: is it what the shop bought itself?", setting, warning=True)


def _one_of(text: str, words: tuple[str, ...]) -> bool:
    plain = plain_word(text)
    return bool({plain, plain.removesuffix("s")} & set(map(plain_word, words)))
