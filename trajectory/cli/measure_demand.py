"""Measures forecasts of demand compared with all baselines.

trajectory measure-demand --workdir=runs/insights

Prints Markdown tables. AutoETS and AutoARIMA (extra `demand`) are fitted to each series of `--levels` at
each held-out week: categories of Complete Journey take about ten minutes, product types more than an hour.
"""

from pathlib import Path

import polars as pl
from absl import flags

from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
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
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, foresees, compares, prints."""
    parallel.start()
    from trajectory.insights.demand.comparison import compare_all
    from trajectory.insights.demand.demand_forecast import foresee
    from trajectory.run import load_run

    demand = foresee(load_run(Path(WORKDIR.value)))
    print(f"chosen on earlier weeks: {demand.tried}; weighs users' forecasts: {demand.weighs_users}")
    if demand.held_out is None:
        print("This run has seen all weeks: what follows says nothing of how far forecasts hold.")
    with pl.Config(**MARKDOWN):
        for level, tables in compare_all(demand, dict.fromkeys(LEVELS.value, tuple(MODELS.value))).items():
            for name, table in tables.items():
                print(f"\n{level}: {name}\n\n{table}")
