"""Finds who moved from which interest to which, and who will; writes the page to open.

trajectory migrate --workdir=runs/first

Writes migration.html and its tables: migrations.parquet, flows.parquet, states.parquet, and of the forecast
migration_forecast.parquet, flow_forecast.parquet and, where the run's split held out as many steps as are forecast
(preset `trajectories`), transitions.json, the accuracy of such forecasts there.
"""

from pathlib import Path

from absl import flags

from trajectory.schema import UserError
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
WINDOW = flags.DEFINE_float("window", 28.0, "days (steps) of a window: the grain of seasons and states")
LASTING = flags.DEFINE_float("lasting", 28.0, "days (steps) of behaviour before and after a migration, at least")
GAP = flags.DEFINE_float("gap", 1800.0, "seconds without a step that end a session")
RATE = flags.DEFINE_float("rate", 0.05, "share of the found migrations that may be false")
PERMUTATIONS = flags.DEFINE_integer("permutations", 1000, "rearrangements of each user's sessions")
FORECAST = flags.DEFINE_boolean("forecast", True, "forecast where users go; --noforecast only looks back")
SEGMENTS = flags.DEFINE_string("segments", "", "CSV or Parquet of columns user, segment (default: by activity)")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, finds its migrations, forecasts the next, writes; a log without interests gets learned ones."""
    parallel.start()
    from trajectory.data.store.sample import with_first_look
    from trajectory.migrations.clusters import with_interests
    from trajectory.migrations.groups import read_segments
    from trajectory.migrations.migration import Settings, detect
    from trajectory.migrations.migration_forecast import forecast_migrations
    from trajectory.migrations.page import write_migrations
    from trajectory.migrations.transitions import table
    from trajectory.run import load_run

    settings = Settings(
        window=WINDOW.value, lasting=LASTING.value, gap=GAP.value, rate=RATE.value, permutations=PERMUTATIONS.value
    )
    run = load_run(Path(WORKDIR.value))
    (histories, notes), config = with_interests(run), run.config
    for note in notes:
        print(note)
    segment = read_segments(Path(SEGMENTS.value), histories) if SEGMENTS.value else None
    migrations = detect(histories, settings)
    forecast = None
    if FORECAST.value:
        try:
            forecast = forecast_migrations(run, migrations)
        except UserError as reason:
            print(f"no forecast: {reason}")
    page = write_migrations(
        migrations, run.workdir, config.name, with_first_look(config.note, run.experiment.histories), forecast, segment
    )
    if forecast and forecast.check:
        print(table(forecast.check))
    if forecast and forecast.standing.warning:
        print(forecast.standing.warning)
    print(f"{migrations.found.height:,} of {migrations.tested.height:,} users migrated; written to {run.workdir}")
    print(f"open {page.resolve()}")
