"""The map of items: what is near, of which domain, and a picture that names them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from tests.builders import fake_run, make_histories, make_model
from trajectory.forecasting.item_map import draw, item_map

SIZE = 40  # items of each of two domains


def run(apart: bool):
    """A run whose vectors go by category in both domains, or by domain."""
    count = 2 * SIZE
    domain = np.repeat(["shop", "books"], SIZE)
    category = np.array(["red", "blue"] * SIZE)
    histories = make_histories([[1, count]], num_items=count)
    items = pl.DataFrame({"item": [f"i{i}" for i in range(count)], "domain": domain, "category": category})
    model = make_model("gru", items=count, width=4, repeat=False, frozen=2)
    rng = np.random.default_rng(0)
    sort = domain == "shop" if apart else category == "red"
    learned = np.where(sort[:, None], [1.0, 0, 0, 0], [0, 1.0, 0, 0]) + 0.01 * rng.standard_normal((count, 4))
    table = np.pad(np.column_stack([learned, 100 * rng.standard_normal((count, 2))]), ((1, 0), (0, 0)))
    params = {"params": {"items": {"ids": {"embedding": table.astype(np.float32)}}}}
    return fake_run(params, model=model, histories=replace(histories, items=items))


def test_neighbours_are_told_by_what_is_learned() -> None:
    mixed, split = item_map(run(apart=False)), item_map(run(apart=True))
    assert mixed.columns == ["item", "domain", "category", "x", "y", "elsewhere", "alike"]
    assert len(mixed) == 2 * SIZE
    assert mixed["alike"].min() == 1
    assert 0.3 < mixed["elsewhere"].mean() < 0.7
    assert split["elsewhere"].max() == 0
    assert 0.3 < split["alike"].mean() < 0.7
    place = mixed.select("x", "y").to_numpy()
    red = (mixed["category"] == "red").to_numpy()
    centres = place[red].mean(0), place[~red].mean(0)
    assert np.linalg.norm(centres[0] - centres[1]) > place[red].std()


def test_items_of_no_known_category_and_of_one_domain_are_drawn_too(tmp_path) -> None:
    whole = run(apart=False)
    plain = whole.experiment.histories.items.select("item")
    whole.vocabulary.catalogue = replace(whole.experiment.histories, items=plain)
    items = item_map(whole)
    assert items["domain"].unique().to_list() == ["made_up"]
    assert items["alike"].null_count() == len(items)
    draw(items, tmp_path / "items.png")
    assert (tmp_path / "items.png").read_bytes().startswith(b"\x89PNG")
