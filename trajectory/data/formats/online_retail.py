"""UCI Online Retail I and II: lines of invoices, cancellations among them."""

from __future__ import annotations

import polars as pl

from trajectory.data.formats.layout import File, Format, words
from trajectory.data.ingest.source.settings import Settings

# Stock codes of what is no goods, beside POST: postage, carriage, discounts, by hand, samples, fees.
_SERVICE = ("DOT", "C2", "D", "M", "S", "B", "AMAZONFEE", "BANK CHARGES", "CRUK")


def _typed(log: pl.DataFrame, _: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, None]:
    """An invoice whose number begins with C takes back what was bought."""
    invoice = next(name for name in ("InvoiceNo", "Invoice") if name in log.columns)
    cancelled = words(invoice).str.starts_with("C")
    event_type = pl.when(cancelled).then(pl.lit("return")).otherwise(pl.lit("purchase"))
    return log.with_columns(event_type=event_type, title="Description"), None


def _layout(title: str, invoice: str, price: str, customer: str) -> Format:
    columns = {
        **{"user": customer, "item": "StockCode", "time": "InvoiceDate", "basket": invoice, "event_type": "event_type"},
        **{"quantity": "Quantity", "value": price},
    }
    return Format(
        title,
        log=(File(columns=(invoice, "StockCode", "Description", "Quantity", "InvoiceDate", price, customer)),),
        settings=Settings(columns=columns, baskets=True, service_lines=_SERVICE),
        reshape=_typed,
        note="invoices that begin with C are returns, as are negative quantities; an invoice is one basket; equal rows "
        "(the two sheets of II overlap in December 2010) are set aside as duplicates; items have no categories; "
        "postage, discounts, fees and samples (POST, DOT, C2, D, M, S, B ...) are no sales",
    )


FORMATS = (
    _layout("UCI Online Retail", "InvoiceNo", "UnitPrice", "CustomerID"),
    _layout("UCI Online Retail II", "Invoice", "Price", "Customer ID"),
)
