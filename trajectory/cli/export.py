"""Writes a run's user and item vectors as Parquet, and a map of items.

trajectory export --workdir=runs/first

Writes user_vectors.parquet, item_vectors.parquet, items.parquet and items.png into the run's folder.
"""

from pathlib import Path

from absl import flags

from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, writes the tables and the map."""
    parallel.start()
    from trajectory.forecasting.item_map import NEIGHBOURS, draw, item_map
    from trajectory.run import load_run
    from trajectory.writing import write_parquet

    run = load_run(Path(WORKDIR.value))
    for name in ("user", "item"):
        vectors = run.embeddings(f"{name}s")
        path = vectors.write(run.workdir / f"{name}_vectors.parquet")
        print(f"{vectors.frame.height:,} {name} vectors written to {path}")
    items = item_map(run)
    write_parquet(items, run.workdir / "items.parquet")
    draw(items, run.workdir / "items.png")
    near = ""
    if items["domain"].n_unique() > 1:
        near = f"; of an item's {NEIGHBOURS} nearest {items['elsewhere'].to_numpy().mean():.1%} are of other domains"
    print(f"{len(items):,} items drawn in {run.workdir / 'items.png'}{near}")
