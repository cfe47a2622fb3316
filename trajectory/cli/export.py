"""Writes a run's user and item vectors as Parquet, and a map of items.

trajectory export --workdir=runs/first

Writes user_vectors.parquet, item_vectors.parquet, items.parquet and items.png into the run's folder.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import next_command
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Writes the tables and the map, prints what they hold."""
    parallel.start()
    from trajectory.forecasting.export import write_vectors
    from trajectory.run import load_run

    print("\n".join(write_vectors(load_run(Path(WORKDIR.value)))))
    next_command(f"predict --workdir={WORKDIR.value} --events=new_users.csv", "what new users will want")
