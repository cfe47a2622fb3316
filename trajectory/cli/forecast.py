"""Forecasts the next steps of a run's users and writes the page to open.

trajectory forecast --workdir=runs/first --users=200

Writes forecast.parquet and report.html, and forecast.png where interests are forecast to change beyond chance.
"""

from pathlib import Path

from absl import flags

from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
USERS = flags.DEFINE_integer("users", -1, "users to forecast (0 = all, -1 = as the run's config says)", lower_bound=-1)
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, forecasts, writes."""
    parallel.start()
    from trajectory.forecasting.page import write_forecast
    from trajectory.inference.step_forecast import method_description, steps_ahead
    from trajectory.run import load_run

    run = load_run(Path(WORKDIR.value))
    page = write_forecast(run, run.config.forecast.users if USERS.value < 0 else USERS.value)
    steps = steps_ahead(run.config)
    print(
        f"{steps} steps ahead, {method_description(run, steps, run.config.forecast.paths)}; written to {WORKDIR.value}"
    )
    print(f"open {page.resolve()}")
