"""A raw export like UCI Online Retail: an order table as a spreadsheet saves it, returns as negative quantities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.simulate.shop.parameters import Dirt
from trajectory.data.simulate.shop.raw.soil import csv_lines, missing, money, soiled, unreadable

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
POSTAGE = "POST"  # stock code of what is no item
CUSTOMER = 12_000  # ids count on from here


def item_ids(item: pl.Expr) -> pl.Expr:
    """The export's ids of items: stock codes with leading zeros."""
    return item.cast(pl.String).str.zfill(5)


def user_ids(user: pl.Expr) -> pl.Expr:
    """The export's ids of users: whole numbers that went through a column of floats."""
    return pl.format("{}.0", user + CUSTOMER)


def write(
    events: pl.DataFrame, items: pl.DataFrame, folder: Path, dirt: Dirt, rng: np.random.Generator
) -> pl.DataFrame:
    """Writes interactions.csv in Latin-1, after a line "sep=;"; returns its rows for `account`.

    Days before months, decimal commas; a return has an invoice of its own that begins with C; postage is a row as well.
    """
    records = events.with_row_index("event").filter(pl.col("event_type").is_in(["purchase", "return"]))
    records = records.join(items.select("item_id", "title"), on="item_id", maintain_order="left")
    rows = soiled(records.with_columns(time=pl.col("timestamp").cast(pl.Int64)), dirt, rng)
    foreign, returned = pl.col("wrong") == "foreign", pl.col("event_type") == "return"
    text = rows.select(
        "wrong",
        InvoiceNo=pl.when(returned)
        .then(pl.format("C{}", pl.col("order_id").max() + 1 + pl.col("event")))
        .otherwise("order_id"),
        StockCode=pl.when(foreign).then(pl.lit(POSTAGE)).otherwise(item_ids(pl.col("item_id"))),
        Description=pl.when(foreign).then(pl.lit("POSTAGE")).otherwise(pl.col("title").str.to_uppercase()),
        Quantity=pl.when(foreign).then(1).otherwise(pl.col("quantity") * pl.when(returned).then(-1).otherwise(1)),
        InvoiceDate=pl.from_epoch("time", "us").dt.strftime("%d/%m/%Y %H:%M"),
        UnitPrice=money(pl.when(foreign).then(18.0).otherwise("price")).str.replace(".", ",", literal=True),
        CustomerID=user_ids(pl.col("user_id")),
        Country=pl.lit("United Kingdom"),
    )
    text = text.with_columns(
        unreadable("InvoiceDate", rng, rows.height),
        missing("missing_item", "StockCode", rng, rows.height),
        missing("missing_price", "UnitPrice", rng, rows.height),
        missing("missing_user", "CustomerID", rng, rows.height),
    )
    lines = ["sep=;", *csv_lines(text.select(COLUMNS), ";", rows["wrong"].to_list())]
    (folder / "interactions.csv").write_text("\r\n".join(lines) + "\r\n", encoding="latin-1", newline="")
    blank = pl.when(pl.col("wrong") == "missing_user").then(pl.lit("user"))
    gap = blank.when((text["InvoiceDate"] == "") & (pl.col("wrong") == "bad_time")).then(pl.lit("time"))
    return rows.select("event", "wrong", gap=gap, order=text["InvoiceNo"]).with_row_index("line", offset=1)
