"""Which items are near which, across domains: a map of item vectors in two dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from sklearn.manifold import TSNE

from trajectory.data.store.union import DOMAIN
from trajectory.models.apply import apply
from trajectory.reports import charts, pictures
from trajectory.reports.colours import COLOURS
from trajectory.run import Run

if TYPE_CHECKING:
    import altair as alt

ITEMS = 2400  # drawn, as many of each domain
NEIGHBOURS = 10
OTHER = "other"


def item_map(run: Run) -> pl.DataFrame:
    """Columns item, domain, category (null where not known), x, y, and `elsewhere` and `alike`.

    x and y are t-SNE coordinates (van der Maaten & Hinton 2008) of what the model has learned of the items; the numbers
    that it keeps are left out, for each domain has its own. `elsewhere` is the share of an item's ten nearest items
    drawn that are of other domains, `alike` of those of known category that are of the item's own (null where there
    are none).
    """
    known = run.vocabulary.catalogue
    table = np.asarray(apply(run.model, run.params, method="item_table"))[1:, : run.model.spec.model.width]
    items = known.items[: known.num_items].with_row_index("row")
    if DOMAIN not in items.columns:
        items = items.with_columns(pl.lit(known.name).alias(DOMAIN))
    if "category" not in items.columns:
        items = items.with_columns(pl.lit(None, pl.String).alias("category"))
    per_domain = max(ITEMS // items[DOMAIN].n_unique(), 1)
    order = pl.Series(np.random.default_rng(0).permutation(items.height))
    drawn = (
        items.with_columns(order=order).sort("order").group_by(DOMAIN, maintain_order=True).head(per_domain).sort("row")
    )
    vectors = table[drawn["row"].to_numpy()]
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    perplexity = min(30, max(len(vectors) // 4, 2))
    place = TSNE(metric="cosine", perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -np.inf)
    near = np.argsort(-cosine, axis=1)[:, :NEIGHBOURS]
    domain, category = drawn[DOMAIN].to_numpy(), drawn["category"].to_numpy()
    named = np.array([value is not None for value in category])
    both_known = named[near] & named[:, None]
    alike = (category[near] == category[:, None]) & both_known
    share = np.where(both_known.any(axis=1), alike.sum(axis=1) / np.maximum(both_known.sum(axis=1), 1), np.nan)
    return pl.DataFrame(
        {
            "item": drawn["item"],
            "domain": drawn[DOMAIN],
            "category": drawn["category"],
            "x": place[:, 0],
            "y": place[:, 1],
            "elsewhere": (domain[near] != domain[:, None]).mean(axis=1),
            "alike": pl.Series(share).fill_nan(None),
        }
    )


def draw(items: pl.DataFrame, path: Path) -> None:
    """Draws the map at `path`, coloured by domain, if there are several, and by category, if any is known."""
    names = [name for name in ("domain", "category") if items[name].n_unique() > 1] or ["domain"]
    title = "Items by their learned vectors (t-SNE of cosines): near = alike to the model"
    pictures.save(charts.panels([_panel(items, name) for name in names], len(names), title, one_legend=False), path)


def _panel(items: pl.DataFrame, name: str) -> alt.Chart:
    """One map; what is most frequent has a colour of its own, and is drawn above what is less so."""
    counts = items[name].drop_nulls().value_counts(sort=True)
    common = counts[name].head(len(COLOURS))  # the others are grey
    group = pl.when(pl.col(name).is_in(common.implode())).then(pl.col(name)).otherwise(pl.lit(OTHER))
    named = items.with_columns(group=group)
    sizes = named.group_by("group").len("count").with_columns(last=pl.col("group") == OTHER)
    order = sizes.sort("last", "count", "group", descending=[False, True, False]).with_row_index("order")
    label = charts.distinct(order.select(pl.format("{} ({})", "group", "count"))["group"])
    shown = named.join(order.with_columns(label=label), on="group", maintain_order="left")
    points = shown.select("x", "y", "order", group="label")
    return charts.groups(points, label.to_list(), bool(order["last"].any()), f"by {name}", "t-SNE")
