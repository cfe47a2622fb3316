"""Conversions of a made-up shop, measured beside boosting and the best that is possible."""

from __future__ import annotations

import json

import polars as pl

from tests.cli.test_configs import QUIET
from trajectory.baselines.conversion import BOOSTING
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.write import write
from trajectory.evaluation.conversion_table import BEST

SMALL = Shop(users=80, interests=4, items_per_interest=6, seasonal=1, weeks=20, migration_last=12, campaigns=2)


def test_a_shops_conversions_are_measured_beside_the_best_that_is_possible(script, tmp_path):
    shop, out = tmp_path / "shop", tmp_path / "out"
    write(SMALL, shop)
    measured = script(
        "measure-conversions",
        "--config=taobao_behavior:tiny",
        f"--config.data.source={shop}",
        f"--config.data.prepared_dir={tmp_path / 'prepared'}",
        "--config.train.min_steps=20",
        "--config.train.epochs=1",
        f"--out={out}",
        "--backbones=gru",
        "--units=user,session,cart",
        "--seeds=0,1",
        f"--shop={shop}",
        *QUIET,
    )
    assert measured.code == 0, measured.err
    rows = json.loads((out / "conversions.json").read_text())
    methods = pl.DataFrame([{"unit": row["unit"], "method": row["method"], "auc": row["auc"]} for row in rows])
    for unit in ("user", "session", "cart"):
        of_unit = dict(methods.filter(pl.col("unit") == unit).select("method", "auc").iter_rows())
        assert {"gru", "base rate", "conversions so far", BOOSTING} <= set(of_unit)
        assert (BEST in of_unit) == (unit != "user"), "what happens within a day is not the funnel's alone"
    best, boosting = (
        next(r for r in rows if (r["unit"], r["method"]) == ("session", name)) for name in (BEST, BOOSTING)
    )
    # The best is by the shop's own probabilities: they rank better than what is learned, and mean what they say.
    assert best["auc"] > boosting["auc"]
    assert best["log_loss"] < boosting["log_loss"]
    model = next(row for row in rows if row["method"] == "gru")
    assert model["lead_low"] < model["lead"] < model["lead_high"]
    assert (model["users_needed"] is None) == (model["lead"] <= 0)
    assert (out / "conversions.md").read_text().strip() in measured.out
