"""Forecasts the next steps of a run's users and writes the page to open.

trajectory forecast --workdir=runs/first --users=200

Writes forecast.parquet and report.html, and forecast.png where interests are forecast to change beyond chance.
New users' steps are forecast by `trajectory predict --steps`.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import define_language, next_command
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
USERS = number("users", None, "users to forecast (0 = all; default: forecast.users of the run's config)", at_least(0))
USER = flags.DEFINE_multi_string("user", [], "id of a user, instead; repeatable")
STEPS = number("steps", None, "steps ahead (default: heads.horizon, or forecast.steps)", at_least(1))
LANGUAGE = define_language()
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, forecasts, writes."""
    parallel.start()
    from trajectory.forecasting.page import write_forecast
    from trajectory.run import load_run

    wanted = USER.value or USERS.value
    page = write_forecast(load_run(Path(WORKDIR.value)), wanted, STEPS.value or 0, LANGUAGE.value)
    print(f"open {page.resolve()}")
    next_command(f"explain --workdir={WORKDIR.value}", "which events drove the forecasts")
