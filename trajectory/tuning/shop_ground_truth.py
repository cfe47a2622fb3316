"""Whether attributions of a run that predicts purchases find the views that caused them: a shop, and one beside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.write import write
from trajectory.explain import ground_truth_table as tables
from trajectory.explain.shop_causes import find_shop_causes, read_shop_causes
from trajectory.training import parallel
from trajectory.tuning import sweep
from trajectory.tuning.ground_truth import GroundTruth, load_with_other, write_pair
from trajectory.tuning.members import Member, Sweep
from trajectory.writing import write_csv, write_text

# Validated from a moment on: right before a purchase its own view and cart tell it, and nothing else is learned.
SETTINGS = ("data.target_types=purchase,", "split.kind=temporal", "split.target=all")
SHOP = "shop"


def compare(experiment: GroundTruth, out: Path, workers: int = 1) -> str:
    """Makes both shops and the run where they are missing, explains, and writes ground_truth.csv and .md (returned).

    Raises UserError where shops of other numbers lie in `out`.
    """
    log, seed = out / "logs" / SHOP, experiment.seed
    write_pair(partial(write, Shop(users=experiment.users)), {"users": experiment.users}, log, seed)
    member = Member({"data.source": str(log)})
    settings = [*SETTINGS, *experiment.settings]
    runs = sweep.plan(f"synthetic:model={experiment.model}", Sweep(SHOP, {SHOP: member}), [seed], settings, out)
    sweep.make_all(runs, workers)
    parallel.start()
    run, other, histories = load_with_other(runs[0], out)
    planted = read_shop_causes(other, histories)
    rows = find_shop_causes(run, histories, planted, experiment.methods, experiment.forecasts)
    table = pl.DataFrame({"log": f"{SHOP}, seed {seed}", **row} for row in rows)
    write_csv(table, out / "ground_truth.csv")
    text = tables.markdown(table, tables.SHOP_COLUMNS, tables.SHOP_NATS, tables.SHOP_PROBABILITIES)
    text += (
        f"\n\n{rows[0]['forecasts']:,} caused purchases were asked for; {planted.left_out:,} were left out whose item "
        "was viewed, put into the cart or bought in the days in which a view may cause it."
    )
    write_text(f"{text}\n", out / "ground_truth.md")
    return text
