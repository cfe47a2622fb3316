"""A run's vectors as files: of users, of items, and a map of the items."""

from __future__ import annotations

from trajectory.forecasting.item_map import NEIGHBOURS, draw, item_map
from trajectory.run import Run
from trajectory.run_card import write_card
from trajectory.writing import write_parquet


def write_vectors(run: Run) -> list[str]:
    """Writes user_vectors.parquet, item_vectors.parquet, items.parquet and items.png into the run's folder.

    Returns what was written, a sentence each. Raises UserError where the run's log is not here.
    """
    said = []
    for name in ("user", "item"):
        vectors = run.embeddings(f"{name}s")  # type: ignore[arg-type]
        path = vectors.write(run.workdir / f"{name}_vectors.parquet")
        said.append(f"{vectors.frame.height:,} {name} vectors written to {path}")
    items, picture = item_map(run), run.workdir / "items.png"
    write_parquet(items, run.workdir / "items.parquet")
    draw(items, picture)
    write_card(run.workdir)
    near = ""
    if items["domain"].n_unique() > 1:
        near = f"; of an item's {NEIGHBOURS} nearest {items['elsewhere'].to_numpy().mean():.1%} are of other domains"
    return [*said, f"{len(items):,} items drawn in {picture}{near}"]
