"""Finds who of a run's users moved from which interest to which, and writes the page to open.

python scripts/migrate.py --workdir=runs/first

Writes migrations.parquet, flows.parquet and migration.html.
"""

from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

WORKDIR = cli.flags.DEFINE_string("workdir", None, "folder of the run")
WINDOW = cli.flags.DEFINE_float("window", 28.0, "days (steps) of a window: the grain of seasons and states")
LASTING = cli.flags.DEFINE_float("lasting", 28.0, "days (steps) of behaviour before and after a migration, at least")
GAP = cli.flags.DEFINE_float("gap", 1800.0, "seconds without a step that end a session")
RATE = cli.flags.DEFINE_float("rate", 0.05, "share of the found migrations that may be false")
PERMUTATIONS = cli.flags.DEFINE_integer("permutations", 1000, "rearrangements of each user's sessions")
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, finds its migrations, writes; a log without interests gets learned ones."""
    parallel.start()
    from trajectory.forecasting.vectors import item_vectors
    from trajectory.insights.clusters import learned_interests
    from trajectory.insights.migration import Settings, detect
    from trajectory.insights.report import write_migrations
    from trajectory.training.run import open_run

    settings = Settings(
        window=WINDOW.value, lasting=LASTING.value, gap=GAP.value, rate=RATE.value, permutations=PERMUTATIONS.value
    )
    run = open_run(Path(WORKDIR.value))
    histories, config = run.task.histories, run.task.config
    if not histories.interests:
        histories = learned_interests(histories, item_vectors(run)["vector"].to_numpy())
        print(f"the log has no interests: learned {len(histories.interests)} from the run's item vectors")
    migrations = detect(histories, settings)
    page = write_migrations(migrations, run.workdir, config.name, config.note)
    print(f"{migrations.found.height:,} of {migrations.tested.height:,} users migrated; written to {run.workdir}")
    print(f"open {page.resolve()}")


if __name__ == "__main__":
    cli.run(main)
