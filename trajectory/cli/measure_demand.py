"""Measures forecasts of demand compared with all baselines.

trajectory measure-demand --workdir=runs/insights

--simulate=40 instead measures so many made-up small shops of each kind and length (minutes), whose rates are known.
Prints Markdown tables. AutoETS and AutoARIMA (extra `demand`) are fitted to each series of `--levels` at
each held-out week: categories of Complete Journey take about ten minutes, product types more than an hour.
"""

from itertools import product
from pathlib import Path

import polars as pl
from absl import flags
from tqdm import tqdm

from trajectory.schema import UserError
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
SIMULATE = flags.DEFINE_integer("simulate", 0, "made-up shops of each kind and length to measure instead of a run")
WEEKS = flags.DEFINE_list("weeks", ["16", "18", "20", "22"], "lengths of made-up shops, in weeks")
MODELS = flags.DEFINE_list("models", ["AutoETS", "AutoARIMA"], "models of statsforecast to fit, empty for none")
LEVELS = flags.DEFINE_list("levels", ["interest", "department"], "levels that they are fitted to")
MARKDOWN = {
    "tbl_formatting": "MARKDOWN",
    "tbl_rows": -1,
    "tbl_cols": -1,
    "tbl_width_chars": 200,
    "tbl_hide_column_data_types": True,
    "tbl_hide_dataframe_shape": True,
    "fmt_str_lengths": 60,
    "float_precision": 4,
}


def main() -> None:
    """Measures a run's forecasts, or those of made-up shops, and prints."""
    parallel.start()
    with pl.Config(**MARKDOWN):
        if SIMULATE.value:
            _simulated([int(weeks) for weeks in WEEKS.value], SIMULATE.value)
        elif WORKDIR.value:
            _of_run(Path(WORKDIR.value))
        else:
            raise UserError("expected --workdir=RUN, or --simulate=40 for made-up shops; neither was given")


def _of_run(workdir: Path) -> None:
    from trajectory.insights.demand.comparison import compare_all
    from trajectory.insights.demand.demand_forecast import forecast_demand
    from trajectory.run import load_run

    demand = forecast_demand(load_run(workdir))
    print(f"chosen on earlier weeks: {demand.tried}; weighs users' forecasts: {demand.weighs_users}")
    if demand.held_out is None:
        print("This run has seen all weeks: what follows says nothing of how far forecasts hold.")
    for level, tables in compare_all(demand, dict.fromkeys(LEVELS.value, tuple(MODELS.value))).items():
        for name, table in tables.items():
            print(f"\n{level}: {name}\n\n{table}")


def _simulated(lengths: list[int], shops: int) -> None:
    from trajectory.insights.demand.simulated_shops import SHOPS, measure

    parts: dict[str, list[pl.DataFrame]] = {"forecasts": [], "orders": []}
    for shop, weeks in tqdm([*product(SHOPS, lengths)], "shops", leave=False, disable=None):
        for name, table in zip(parts, measure(shop, weeks, shops), strict=True):
            parts[name].append(table.select(pl.lit(shop).alias("shop"), pl.lit(weeks).alias("weeks"), pl.all()))
    for name, by in (
        ("forecasts", ["shop", "level", "weeks_ahead"]),
        ("forecasts", ["weeks", "level", "weeks_ahead"]),
        ("orders", ["shop", "level", "rule"]),
    ):
        table = pl.concat(parts[name]).group_by(by, maintain_order=True).agg(pl.col(pl.Float64).mean())
        print(f"\n{name} of {shops} shops of each kind and length, by {by[0]}\n\n{table}")
