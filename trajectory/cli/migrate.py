"""Finds who moved from which interest to which, and who will; writes the page to open.

trajectory migrate --workdir=runs/first

Writes migration.html and its tables: migrations.parquet, flows.parquet, states.parquet, and of the forecast
migration_forecast.parquet, flow_forecast.parquet and, where the run's split held out as many steps as are forecast
(preset `trajectories`), transitions.json, the accuracy of such forecasts there.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import define_language, next_command
from trajectory.settings.allowed import above, at_least, part
from trajectory.settings.typed_flags import number, real
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
USUAL = "default: 28 days, or 10 steps where the log has no times"
WINDOW = real("window", None, f"days (steps) of a window: the grain of seasons and states; {USUAL}", above(0))
LASTING = real("lasting", None, f"days (steps) of behaviour on each side of a migration at least; {USUAL}", above(0))
SESSION_TIMEOUT = real("session-timeout", 1800.0, "seconds without a step that end a session", at_least(0))
RATE = real("false-discovery-rate", 0.05, "share of the found migrations that may be false", part())
PERMUTATIONS = number(
    "permutations",
    1000,
    "rearrangements of a user's sessions, neighbours as alike as on either side of a move",
    at_least(99),
)
FORECAST = flags.DEFINE_boolean("forecast", True, "forecast where users go; --noforecast only looks back")
SEGMENTS = flags.DEFINE_string("segments", "", "CSV or Parquet of columns user, segment (default: by activity)")
LANGUAGE = define_language()
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, finds its migrations, forecasts the next, writes; a log without interests gets learned ones."""
    parallel.start()
    from trajectory.run import load_run

    run = load_run(Path(WORKDIR.value))
    migrations = run.migrations(
        forecast=FORECAST.value,
        segments=SEGMENTS.value or None,
        window=WINDOW.value,
        lasting=LASTING.value,
        session_timeout=SESSION_TIMEOUT.value,
        false_discovery_rate=RATE.value,
        permutations=PERMUTATIONS.value,
    )
    page = migrations.write_page(run.workdir, language=LANGUAGE.value)
    for text in (*migrations.notes, migrations.markdown):
        if text:
            print(text)
    tested = migrations.tables["tested"]
    print(f"{migrations.frame.height:,} of {tested.height:,} users migrated; written to {run.workdir}")
    print(f"open {page.resolve()}")
    next_command(f"explain --workdir={WORKDIR.value} --target=migration", "which events drive the moves to come")
