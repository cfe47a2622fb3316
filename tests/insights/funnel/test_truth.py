"""The probabilities of a made-up shop, by hand; and how far written rates are from them."""

from __future__ import annotations

import json

import polars as pl
import pytest

from trajectory.insights.funnel.truth import accuracy, chances

VIEWS = [  # session, item, origin
    (1, 1, "browsing"),
    (1, 2, "browsing"),
    (2, 1, "cause"),
    (3, 1, "bot"),
    (4, 3, "campaign"),
]


@pytest.fixture
def shop(tmp_path):
    truth = tmp_path / "truth"
    truth.mkdir()
    (truth / "parameters.json").write_text(json.dumps({"carting": 0.5, "removing": 0.2, "buying": 0.75}))
    pl.DataFrame({"item_id": [1, 2, 3], "category": ["a", "a", "b"]}).write_parquet(tmp_path / "items.parquet")
    events = pl.DataFrame(VIEWS, ["session_id", "item_id", "origin"], orient="row")
    events.with_columns(event_type=pl.lit("view")).write_parquet(truth / "events.parquet")
    return tmp_path


def test_sessions_go_on_as_what_made_them_says(shop):
    found = {(row["level"], row["id"]): row for row in chances(shop).iter_rows(named=True)}
    one = found["item", "1"]  # browsed once, bought for sure once, looked at by a bot once
    assert (one["cart"], one["purchase"]) == pytest.approx(((0.5 + 1 + 0) / 3, (0.75 * 0.4 + 1 + 0) / 3))
    assert one["purchase_of_cart"] == pytest.approx(1.3 / 1.5)
    assert found["item", "3"]["purchase"] == 1
    category = found["interest", "a"]  # two items in the first session, either of which is enough
    assert category["cart"] == pytest.approx((0.75 + 1 + 0) / 3)
    assert category["purchase"] == pytest.approx((0.75 * (1 - 0.6**2) + 1 + 0) / 3)


def test_errors_and_coverage_are_of_what_is_written(shop, tmp_path):
    true = {"cart": 0.5, "purchase": 1.3 / 3}
    steps = {
        "cart": (true["cart"] + 0.1, 0.0, 0.45),  # off, and its interval misses
        "purchase": (true["purchase"], 0.0, 1.0),
        "purchase_of_cart": (None, None, None),
    }
    row = {"level": "item", "id": "1", "sessions": 3, "carts": 2, "purchases": 1}
    for step, values in steps.items():
        row |= dict(zip((step, f"{step}_low", f"{step}_high"), values, strict=True))
    pl.DataFrame([row]).with_columns(pl.col("^purchase_of_cart.*$").cast(pl.Float64)).write_parquet(
        tmp_path / "funnel.parquet"
    )
    found = {(row["step"], row["of"]): row for row in accuracy(tmp_path, shop)}
    cart, purchase = found["cart", "all"], found["purchase", "under 30 sessions"]
    assert (cart["error"], cart["counting"], cart["coverage"]) == pytest.approx((0.1, abs(3 / 5 - 0.5), 0))
    assert (purchase["error"], purchase["counting"]) == pytest.approx((0, abs(2 / 5 - 1.3 / 3)))
    assert purchase["coverage"] == 1
    assert ("purchase_of_cart", "all") not in found, "the log has no carts"
