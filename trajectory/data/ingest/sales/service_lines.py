"""Lines of orders that are no goods, such as postage, discounts and fees: they are kept, and are no sales."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.findings import Findings, clip
from trajectory.data.ingest.sales.event_types import of_sales
from trajectory.data.ingest.word_lists import NOT, added_and_taken_off

# Whole ids or titles, compared without case and marks.
# fmt: off
WORDS = (
    "post", "postage", "postage and packing", "postage & packing", "p&p", "shipping", "shipping and handling",
    "shipping & handling", "shipping fee", "shipping cost", "shipping costs", "shipping charge", "shipping charges",
    "standard shipping", "express shipping",
    "free shipping", "handling", "handling fee", "delivery", "delivery fee", "delivery cost", "delivery costs",
    "delivery charge", "delivery charges", "standard delivery", "express delivery", "carriage", "freight", "discount",
    "discounts", "order discount", "rebate", "surcharge", "service fee", "payment fee", "bank charges", "commission",
    "sales tax", "vat", "rounding", "adjustment", "tip", "tips",
    "gratuity",
    # German, French, Spanish, Portuguese, Italian, Dutch, Polish, Chinese
    "versand", "versandkosten", "porto", "fracht", "rabatt", "nachnahmegebühr", "frais de port", "livraison",
    "frais de livraison", "remise", "envío", "gastos de envío", "descuento", "frete", "desconto", "spedizione",
    "spese di spedizione", "sconto", "verzending", "verzendkosten", "korting", "wysyłka", "koszt wysyłki", "rabat",
    "运费", "邮费", "快递费", "配送费", "折扣", "优惠",
)
# fmt: on
OFF = "-"  # data.service_lines=("-",): every line is of goods
_SHOWN = 10


def service_lines(
    columns: dict[str, pl.Series], titles: pl.DataFrame, data: ConfigDict, said: Findings
) -> pl.Series | None:
    """Boolean: sales and returns of what is no goods, by the whole id or title of the item; None where there are none.

    `columns` are the canonical ones that were found, `titles` item and title, as texts, of items that have one.
    """
    added, goods = added_and_taken_off(data.service_lines)
    sale = of_sales(columns, data)
    if OFF in added or sale is None or not sale.any():
        return None
    item = columns["item"].alias("item")
    items = item.filter(sale).drop_nulls().value_counts(name="rows").with_columns(id=pl.col("item").cast(pl.String))
    items = items.join(titles.rename({"item": "id"}), on="id", how="left").filter(
        _is_one([*WORDS, *added]) & ~_is_one([*goods])
    )
    if items.is_empty():
        return None
    items = items.sort("rows", "id", descending=[True, False])
    shown = [
        f"{clip(name)!r}{f' ({clip(title)})' if title and title != name else ''} {rows:,}x"
        for name, title, rows in items.select("id", "title", "rows").head(_SHOWN).iter_rows()
    ]
    said.note(
        "service lines",
        f"no goods, so no sales, kept and not read: {', '.join(shown)}{', ...' * (items.height > _SHOWN)}",
        f"data.service_lines={OFF} takes all as goods, {NOT}WORD those of that id or title; WORD adds one",
        warning=True,
    )
    return sale & item.is_in(items["item"].implode()).fill_null(False)


def _is_one(words: list[str]) -> pl.Expr:
    """Whether the id or the title is one of the words."""
    plain = pl.DataFrame({"word": words}, {"word": pl.String}).select(_plain("word")).to_series()
    return pl.any_horizontal(_plain(name).is_in(plain.implode()).fill_null(False) for name in ("id", "title"))


def _plain(name: str) -> pl.Expr:
    return pl.col(name).str.to_lowercase().str.replace_all(r"[\W_]+", " ").str.strip_chars()
