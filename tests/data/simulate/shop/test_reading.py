"""Raw exports of a made-up shop, read as logs: what is kept is what happened, what is set aside is the dirt."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.simulate.shop.parameters import Dirt, Shop
from trajectory.data.simulate.shop.write import DIALECTS, write
from trajectory.insights.shop_truth import true_events
from trajectory.presets import own_log

DIRT = Dirt(*[0.01] * 8)
REASONS = {
    "duplicate": ["duplicate"],
    "missing_user": ["missing user"],
    "missing_item": ["missing item"],
    "bad_time": ["missing time", "unparsable time"],
    "ragged": ["malformed row"],
    "separator": [None],  # a blank line
    "foreign": ["unknown kind", "missing item"],
}
KEPT = {"ga4": ("retry",), "rees46": ("retry",), "orders": ("foreign",)}  # what is not set aside


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("shop")
    write(Shop(users=150, weeks=30, migration_last=20), place, raw=tuple(DIALECTS), dirt=DIRT)
    return place


@pytest.fixture(scope="module")
def read(folder):
    """What is kept and set aside of an export, read once."""
    known = {}

    def cleaned(name):
        if name not in known:
            data = own_log.get_config(f"path={folder / 'raw' / name}").data
            known[name] = clean(read_log(data), data)
        return known[name]

    return cleaned


@pytest.mark.parametrize("name", DIALECTS)
def test_rows_are_set_aside_for_what_is_wrong_with_them(folder, read, name):
    rows = pl.read_parquet(folder / "truth" / f"raw_{name}.parquet")
    bare = rows["wrong"].is_in(["foreign", "ragged"])  # a line without items is a row nevertheless
    rows = pl.concat([rows.filter(~bare), rows.filter(bare).unique("line")]).sort("line", "event", maintain_order=True)
    rows = rows.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32))
    aside = read(name).quarantine.select(line=pl.col("source_line").cast(pl.UInt32), reason="reason").unique("line")
    found = rows.join(aside, on="line", how="full", coalesce=True)
    assert found["wrong"].null_count() == 0
    searches = pl.read_parquet(folder / "truth" / "events.parquet").with_row_index("event")
    searches = searches.filter(pl.col("event_type") == "search")
    of_searches = found.join(searches, on="event", how="semi")
    found = found.join(searches, on="event", how="anti")
    assert set(of_searches.filter("usable")["reason"]) <= {"missing item"}  # none of them has one
    fine = found.filter(pl.col("usable") | pl.col("wrong").is_in(KEPT[name]))
    assert fine.drop_nulls("reason").is_empty()
    for wrong, reasons in REASONS.items():
        if wrong not in KEPT[name]:
            told = found.filter(pl.col("wrong") == wrong, ~pl.col("usable"))["reason"]
            assert set(told) <= set(reasons), wrong
            assert told.len() > 0 or wrong == "separator"


@pytest.mark.parametrize("name", DIALECTS)
def test_sales_are_those_that_happened(folder, read, name):
    keys = ["user", "item", "time", "type"]
    sign = pl.when(pl.col("type") == "return").then(-1).otherwise(1)
    true = true_events(folder, name).filter(pl.col("type").is_in(["purchase", "return"]))
    kept = read(name).events.rename({"event_type": "type"}).filter(pl.col("type").is_in(["purchase", "return"]))
    kept = kept.select(
        pl.col("user", "item").cast(pl.String),
        "time",
        "type",
        quantity=pl.col("quantity") * sign,
        value=pl.col("value") * sign,
    )
    assert_frame_equal(kept.sort(keys), true.select(kept.columns).cast(dict(kept.schema)).sort(keys), check_exact=False)
