"""How customers' forecasts held on raw exports of made-up shops: `python -m tests.insights.customers.simulated`.

The export ends 90 days before the shop does, so that what comes of each customer and of groups after it is known.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import trajectory as tj
from trajectory.data.simulate.shop.generate import generate
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.store import builder
from trajectory.data.times import DAY
from trajectory.insights.customers.forecast import LONGEST, CustomerForecast, customers, groups_alike
from trajectory.insights.customers.sums import FEWEST
from trajectory.insights.sale_lines import sale_lines
from trajectory.schema import Histories

SHOPS = {"shop": Shop(users=1_500, weeks=104), "wholesale": Shop(users=1_500, weeks=104, sessions=0.4)}


def export(name: str, seed: int) -> pl.DataFrame:
    """An order table with the columns of UCI Online Retail II; of "wholesale", with quantities of resellers, who differ
    by a lognormal of 1 and lines by one of 0.8, and with one invoice in 20 cancelled whole.
    """
    log = generate(SHOPS[name], seed)
    rng = np.random.default_rng([seed, 1])
    events = log.truth["events"].filter(pl.col("event_type").is_in(["purchase", "return"]))
    events = events.with_row_index("row").join(log.items.select("item_id", "title"), on="item_id", how="left")
    pieces = events["quantity"].to_numpy().astype(float)
    if name == "wholesale":
        of_user = rng.lognormal(np.log(6), 1.0, int(events["user_id"].max()) + 1)
        pieces = np.ceil(pieces * of_user[events["user_id"].to_numpy()] * rng.lognormal(0, 0.8, len(pieces)))
    back = (events["event_type"] == "return").to_numpy()
    invoice = np.where(back, 900_000 + np.arange(len(pieces)), events["order_id"].fill_null(0).to_numpy() + 100_000)
    table = pl.DataFrame(
        {
            "Invoice": [f"C{number}" if of else str(number) for number, of in zip(invoice, back, strict=True)],
            "StockCode": events["item_id"].cast(pl.String).str.zfill(5),
            "Description": events["title"].str.to_uppercase(),
            "Quantity": (pieces * np.where(back, -1, 1)).astype(int),
            "InvoiceDate": events["timestamp"].cast(pl.Datetime("us")).dt.truncate("1m"),
            "Price": events["price"],
            "Customer ID": (events["user_id"] + 12_000).cast(pl.Float64),
            "Country": "United Kingdom",
        }
    )
    if name != "wholesale":
        return table.sort("InvoiceDate")
    sold = table.filter(~pl.col("Invoice").str.starts_with("C"))
    some = sold.select(pl.col("Invoice").unique(maintain_order=True)).to_series().sample(fraction=0.05, seed=seed)
    wrong = sold.filter(pl.col("Invoice").is_in(some.implode())).with_columns(
        pl.format("C{}", "Invoice").alias("Invoice"), -pl.col("Quantity"), pl.col("InvoiceDate") + pl.duration(days=2)
    )
    return pl.concat([table, wrong]).sort("InvoiceDate")


def read(table: pl.DataFrame) -> tuple[Histories, CustomerForecast]:
    """The customers of an export."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "online_retail_II.csv")
        table.with_columns(pl.col("InvoiceDate").dt.strftime("%Y-%m-%d %H:%M:%S")).write_csv(path)
        prepared = tj.prepare(str(path), settings={"data.prepared_dir": f"{folder}/prepared"})
        histories = builder.prepare(prepared.config.data)
        return histories, customers(histories, sale_lines(histories))


def groups_after(histories: Histories, found: CustomerForecast, after: pl.DataFrame) -> list[bool]:
    """Whether what groups brought in the days after the export lay within the range of their sum."""
    stop = found.now.moment + found.days * DAY
    came = after.filter(pl.col("InvoiceDate").dt.epoch("s") < stop).group_by(pl.col("Customer ID").cast(pl.Int64))
    brought = came.agg(brought=(pl.col("Quantity") * pl.col("Price")).sum())
    ids = histories.users["user"].gather(found.now.user).cast(pl.Float64).cast(pl.Int64).alias("Customer ID")
    spent = ids.to_frame().join(brought, on="Customer ID", how="left", maintain_order="left")["brought"]
    spent = spent.fill_null(0.0).to_numpy()
    group = groups_alike(histories, sale_lines(histories), found.now.moment, found.now.user, found.spend)
    ranges = [(group == one, *found.sums.range(found.spend[group == one])) for one in np.unique(group)]
    told = [low <= spent[rows].sum() <= high for rows, low, high in ranges if rows.sum() >= FEWEST]
    low, high = found.sums.range(found.spend)
    print(f"  all: expected {found.spend.sum():,.0f} ({low:,.0f} to {high:,.0f}), came {spent.sum():,.0f}")
    return told


def main() -> None:
    for name in SHOPS:
        for seed in range(3):
            table = export(name, seed)
            end = table["InvoiceDate"].max() - pl.duration(days=LONGEST)
            before = table.filter(pl.col("InvoiceDate") < end)
            histories, found = read(before)
            held = found.measured
            print(f"{name}, seed {seed}: {before.height} lines, {held['customers']} customers, {found.days} days")
            print(
                f"  chosen {found.by}, next {found.next.by}; inside {held['inside']:.1%}, mean {held['mean_spend']:.1f}"
            )
            told = groups_after(histories, found, table.filter(pl.col("InvoiceDate") >= end))
            print(f"  sums {held['sums']}; after the export {np.mean(told):.0%} of {len(told)}")
            for method, of in held["methods"].items():
                words = [
                    f"{target} {of[target]['error']:.2f} {np.round(of[target]['more'], 2)}"
                    for target in ("orders", "spend")
                ]
                print(f"  {method:32}", *words, f"total {of['spend']['total']:+.1%}", of.get("none"))
            for method, of in held["next_order"]["methods"].items():
                told = f"within {of['not_within']:.1%} inside {of.get('inside', 0):.1%}"
                print(f"  {method:42} {of['error']:.1f} {np.round(of['more'], 1)} {told}")


if __name__ == "__main__":
    main()
