"""Forecasts the next steps of a run's users and writes the page to open.

trajectory forecast --workdir=runs/first --users=200

Writes forecast.parquet and report.html, and forecast.png where interests are forecast to change beyond chance.
New users' steps are forecast by `trajectory predict --steps`.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import define_language
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
USERS = flags.DEFINE_integer("users", -1, "users to forecast (0 = all, -1 = as the run's config says)", lower_bound=-1)
USER = flags.DEFINE_multi_string("user", [], "id of a user, instead; repeatable")
STEPS = flags.DEFINE_integer("steps", 0, "steps ahead (0 = heads.horizon, or forecast.steps)", lower_bound=0)
LANGUAGE = define_language()
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, forecasts, writes."""
    parallel.start()
    from trajectory.forecasting.page import write_forecast
    from trajectory.run import load_run

    users = None if USERS.value < 0 else USERS.value
    page = write_forecast(load_run(Path(WORKDIR.value)), USER.value or users, STEPS.value, LANGUAGE.value)
    print(f"open {page.resolve()}")
