"""Raw exports of a made-up shop, read here by hand: what is usable is what happened, what is wrong is as accounted."""

import csv
import io
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trajectory.data.simulate import shop
from trajectory.data.simulate.shop.parameters import Dirt, Shop
from trajectory.data.simulate.shop.raw import ga4, orders, rees46
from trajectory.data.simulate.shop.write import DIALECTS, write
from trajectory.schema import UserError

DIRT = Dirt(*[0.01] * 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("shop")
    write(Shop(users=150, weeks=30, migration_last=20), place, raw=tuple(DIALECTS), dirt=DIRT)
    return place


@pytest.fixture(scope="module")
def events(folder):
    return pl.read_parquet(folder / "truth" / "events.parquet").with_row_index("event")


def rows_of(folder, name):
    return pl.read_parquet(folder / "truth" / f"raw_{name}.parquet")


def lines_of(folder, name):
    """The data lines of an export, the first of them number 1."""
    path = folder / "raw" / name / ("interactions.jsonl" if name == "ga4" else "interactions.csv")
    text = path.read_text(encoding="latin-1" if name == "orders" else "utf-8")
    return text.splitlines()[{"ga4": 0, "rees46": 1, "orders": 2}[name] :]


def cells(line, separator):
    return next(csv.reader(io.StringIO(line), delimiter=separator))


@pytest.mark.parametrize("name", DIALECTS)
def test_every_line_is_accounted_for_once(folder, events, name):
    rows, lines = rows_of(folder, name), lines_of(folder, name)
    assert rows["line"].unique().sort().to_list() == list(range(1, len(lines) + 1))
    first = rows.filter(~pl.col("wrong").is_in(["duplicate", "retry", "foreign", "separator"]))
    event_types = {"orders": ["purchase", "return"], "rees46": list(rees46.NAMES), "ga4": list(ga4.NAMES)}[name]
    expected = events.filter(pl.col("event_type").is_in(event_types))["event"]
    assert first["event"].sort().to_list() == expected.to_list()


@pytest.mark.parametrize("name", DIALECTS)
def test_each_defect_has_its_share(folder, events, name):
    rows = rows_of(folder, name).unique("line").join(events.select("event", "event_type"), on="event", how="left")
    count = dict(rows["wrong"].value_counts().iter_rows())
    resent = rows["event_type"].is_in(["view", "cart"]).sum()
    for defect, share in vars(DIRT).items():
        whole = resent if defect == "retry" else rows.height
        assert abs(count.get(defect, 0) - share * whole) < 4 * np.sqrt(share * whole) + 1, defect


def test_usable_rows_of_rees46_say_what_happened(folder, events):
    rows = rows_of(folder, "rees46").filter("usable").filter(pl.col("wrong") == "")
    lines = lines_of(folder, "rees46")
    read = []
    for line, event in rows.select("line", "event").iter_rows():
        time, event_type, item, _, _, _, price, quantity, user, _ = cells(lines[line - 1], ",")
        stamp = datetime.strptime(time, "%Y-%m-%d %H:%M:%S.%f UTC")
        money = float(price.replace("$", "").replace("USD ", ""))
        number = int(quantity) if quantity else None
        read.append((event, int(user) - rees46.USER, int(item) - rees46.PRODUCT, stamp, event_type, money, number))
    columns = ["event", "user_id", "item_id", "timestamp", "event_type", "price", "quantity"]
    true = events.join(rows, on="event", how="semi").with_columns(
        pl.col("event_type").replace({"return": "refund"}), pl.col("timestamp").dt.truncate("1ms")
    )
    table = pl.DataFrame(read, schema=true.select(columns).schema, orient="row").sort("event")
    assert_frame_equal(table, true.select(columns))
    assert any("$" in line for line in lines)
    assert lines[-1] == "," * 9


def test_usable_rows_of_orders_say_what_was_sold_and_came_back(folder, events):
    rows = rows_of(folder, "orders").filter(pl.col("wrong") == "")
    lines = lines_of(folder, "orders")
    read = []
    for line, event in rows.select("line", "event").iter_rows():
        invoice, code, _, quantity, date, price, customer, _ = cells(lines[line - 1], ";")
        assert invoice.startswith("C") == (int(quantity) < 0)
        assert len(code) == 5
        assert customer.endswith(".0")
        stamp = datetime.strptime(date, "%d/%m/%Y %H:%M")
        money = float(price.replace(",", "."))
        read.append((event, int(float(customer)) - orders.CUSTOMER, int(code), stamp, money, int(quantity)))
    sign = pl.when(pl.col("event_type") == "return").then(-1).otherwise(1)
    columns = ["event", "user_id", "item_id", "timestamp", "price", "quantity"]
    true = events.join(rows, on="event", how="semi").with_columns(
        pl.col("timestamp").dt.truncate("1m"), quantity=pl.col("quantity") * sign
    )
    table = pl.DataFrame(read, schema=true.select(columns).schema, orient="row").sort("event")
    assert_frame_equal(table, true.select(columns))
    invoices = [cells(line, ";")[0] for line in lines if line.startswith("C")]
    assert len(set(invoices)) > 0.9 * len(invoices)
    assert (folder / "raw" / "orders" / "interactions.csv").read_bytes().startswith(b"sep=;\r\n")
    assert any("\xc9 SET" in line for line in lines)


def test_usable_rows_of_ga4_say_what_happened_with_which_device(folder, events):
    rows = rows_of(folder, "ga4").filter(pl.col("wrong") == "")
    lines = lines_of(folder, "ga4")
    names = {new: old for old, new in ga4.NAMES.items()}
    read = []
    for line in rows["line"].unique():
        record = json.loads(lines[line - 1])
        event_type, device, user = names[record["event_name"]], record["user_pseudo_id"], record["user_id"]
        query = record["event_params"][1]["value"]["string_value"]
        order = record["ecommerce"]["transaction_id"]
        for item in record["items"] or [{"item_id": None, "price": None, "quantity": None}]:
            number, pieces = item["item_id"] and int(item["item_id"][3:]), item["quantity"]
            read.append(
                (event_type, device, user, number, item["price"], pieces and int(pieces), order and int(order), query)
            )
    true = events.join(rows, on="event", how="semi").select(
        "event_type",
        "device_id",
        pl.when("logged_in").then(pl.format("U{}", "user_id")).alias("user_id"),
        "item_id",
        "price",
        "quantity",
        "order_id",
        "query",
    )
    table = pl.DataFrame(read, schema=true.schema, orient="row")
    assert_frame_equal(table, true, check_row_order=False)
    assert 0.2 < true["user_id"].null_count() / true.height < 0.6


def test_duplicates_are_equal_to_the_letter_and_retries_come_within_a_second(folder):
    for name, number in (("rees46", 200), ("orders", 10), ("ga4", 300)):
        rows, lines = rows_of(folder, name).unique("line", maintain_order=True), lines_of(folder, name)
        twice = rows.filter(pl.col("wrong") == "duplicate")
        first = rows.filter("usable").unique("event")
        pairs = twice.join(first, on="event")
        assert pairs.height > number / 10
        assert pairs.height == twice.height
        for again, before in pairs.select("line", "line_right").iter_rows():
            assert lines[again - 1] == lines[before - 1]
            assert again > before
    rows, lines = rows_of(folder, "rees46"), lines_of(folder, "rees46")
    pairs = rows.filter(pl.col("wrong") == "retry").join(rows.filter("usable"), on="event")
    assert pairs.height > 20
    for again, before in pairs.select("line", "line_right").iter_rows():
        one, other = cells(lines[again - 1], ","), cells(lines[before - 1], ",")
        assert one[1:] == other[1:]
        assert one[1] in ("view", "cart")
        wait = (datetime.fromisoformat(one[0][:23]) - datetime.fromisoformat(other[0][:23])).total_seconds()
        assert 0 < wait < 1


def test_broken_rows_cannot_be_read(folder):
    for name, separator, width in (("rees46", ",", 10), ("orders", ";", 8)):
        rows, lines = rows_of(folder, name), lines_of(folder, name)
        for line, wrong in rows.filter(pl.col("wrong") != "separator").select("line", "wrong").iter_rows():
            assert (len(cells(lines[line - 1], separator)) != width) == (wrong == "ragged")
    rows, lines = rows_of(folder, "ga4"), lines_of(folder, "ga4")
    for line in rows.filter(pl.col("wrong") == "ragged")["line"].unique():
        with pytest.raises(json.JSONDecodeError):
            json.loads(lines[line - 1])


def test_no_export_names_who_was_not_logged_in_or_a_bot(folder, events):
    hidden = events.filter(~pl.col("logged_in"))["user_id"].unique()
    seen = events.filter("logged_in")["user_id"].unique()
    text = (folder / "raw" / "ga4" / "interactions.jsonl").read_text(encoding="utf-8")
    for user in set(hidden) - set(seen):
        assert f'"U{user}"' not in text
    for name in DIALECTS:
        path = next((folder / "raw" / name).glob("interactions.*"))
        head = path.read_bytes()[:500].decode("latin-1")
        assert not any(word in head for word in ("origin", "cause", "logged_in", "roles", "bot"))


@pytest.mark.parametrize("name", DIALECTS)
def test_files_beside_an_export_speak_of_its_items_and_users(folder, name):
    place, dialect = folder / "raw" / name, DIALECTS[name]
    items = pl.read_csv(place / "items.csv", infer_schema=False)
    true = pl.read_parquet(folder / "items.parquet").select(dialect.item_ids(pl.col("item_id")).cast(pl.String))
    assert items["product_id"].to_list() == true["item_id"].to_list()
    assigned = pl.read_parquet(folder / "truth" / "assignments.parquet").filter("treated")
    got = pl.read_csv(place / "campaigns.csv", infer_schema=False)
    assert got["user_id"].to_list() == assigned.select(dialect.user_ids(pl.col("user")))["user"].to_list()
    assert set(pl.read_csv(place / "coupons.csv", infer_schema=False)["product_id"]) <= set(items["product_id"])
    assert pl.read_csv(place / "coupon_redemptions.csv").height > 10


def test_a_clean_export_is_usable_in_full(tmp_path):
    write(Shop(users=20, weeks=20, migrating=0.0, campaigns=1), tmp_path, raw=("rees46",), dirt=Dirt(*[0.0] * 8))
    rows = rows_of(tmp_path, "rees46")
    assert rows.filter(~pl.col("usable"))["wrong"].to_list() == ["separator"]


def test_an_unknown_export_is_explained(tmp_path):
    with pytest.raises(UserError, match="raw export sap is unknown; expected some of ga4, rees46, orders"):
        write(Shop(users=5), tmp_path, raw=("sap",))


def test_script_writes_a_shop_with_its_exports(tmp_path):
    script = Path(shop.__file__).parents[4] / "scripts" / "synthesize.py"
    run = [sys.executable, str(script), "--out", str(tmp_path), "--users=20", "--raw=orders"]
    assert subprocess.run([*run, "--shop"], capture_output=True).returncode == 0
    assert isinstance(pl.read_parquet(tmp_path / "truth" / "raw_orders.parquet"), pl.DataFrame)
    wrong = subprocess.run(run, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "add --shop" in wrong.stderr
