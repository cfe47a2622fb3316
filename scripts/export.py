"""Writes a run's user and item vectors as Parquet: python scripts/export.py --workdir=runs/first

Writes user_vectors.parquet and item_vectors.parquet into the run's folder.
"""

from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

WORKDIR = cli.flags.DEFINE_string("workdir", None, "folder of the run")
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, writes both tables."""
    parallel.start()
    from trajectory.forecasting.vectors import item_vectors, user_vectors
    from trajectory.training.run import open_run

    run = open_run(Path(WORKDIR.value))
    for name, table in (("user", user_vectors(run)), ("item", item_vectors(run))):
        path = run.workdir / f"{name}_vectors.parquet"
        table.write_parquet(path)
        print(f"{len(table):,} {name} vectors written to {path}")


if __name__ == "__main__":
    cli.run(main)
