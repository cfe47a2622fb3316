"""What a run learns from: whose events are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trajectory.settings import base
from trajectory.training.experiment import Experiment, build, load_config, write_json

USERS, EVENTS, ITEMS = 20, 6, 8


def experiment(folder: Path, **content) -> Experiment:
    """A made-up log; half of its users train."""
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{rng.integers(ITEMS)}", 1_704_067_200 + 60 * e) for u in range(USERS) for e in range(EVENTS)]
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(folder / "log.csv")
    vectors = {"item": [f"i{i}" for i in range(ITEMS)], "vector": np.eye(ITEMS).tolist()}
    pl.DataFrame(vectors).write_parquet(folder / "image.parquet")
    c = base()
    c.data.source, c.data.prepared_dir = str(folder / "log.csv"), str(folder / "prepared")
    c.model.width, c.model.layers, c.model.repeat = 8, (8,), False
    c.heads.interest = 0.0
    c.split.kind, c.split.train_users = "leave_one_out", 0.5
    c.content.by, c.content.text, c.content.codes, c.content.frozen = "prior+ids", (), (), ITEMS
    c.content.files = {"image": str(folder / "image.parquet")}
    c.content.update(content)
    return build(c)


def test_what_is_counted_is_of_those_who_train_or_of_the_others(tmp_path: Path) -> None:
    counted = {}
    for whose in ("training", "others"):
        built = experiment(tmp_path, counted=whose)
        counted[whose] = np.expm1(built.content.frozen[:, -1])
    h, split = built.histories, built.split
    for whose, held_out in (("training", 2), ("others", 1)):  # those who do not train do not validate either
        trains = split.train_end > h.offsets[:-1]
        users = np.flatnonzero(trains if whose == "training" else ~trains)
        items = np.concatenate([h.item[h.offsets[u] : h.offsets[u + 1] - held_out] for u in users])
        np.testing.assert_allclose(counted[whose], np.bincount(items, minlength=ITEMS + 1), rtol=1e-5)


def test_types_of_event_of_a_run_made_before_they_had_roles_are_read(tmp_path: Path) -> None:
    saved = base().to_dict()
    del saved["data"]["event_types"]
    saved["data"]["extra_kinds"] = ("gift",)
    write_json(saved, tmp_path / "config.json")
    data = load_config(tmp_path / "config.json").data
    assert (data.event_types.gift, data.event_types.view) == ("input,target", "input,target")
    assert "extra_kinds" not in data


def test_negatives_are_drawn_as_items_are_purchased_where_purchases_alone_are_predicted(tmp_path: Path) -> None:
    """Item "often" is viewed three times as often as "bought" is purchased, and never purchased."""
    types = ("view", "view", "view", "purchase")
    rows = [
        (f"u{u}", "bought" if event_type == "purchase" else "often", 1_704_067_200 + 60 * e, event_type)
        for u in range(USERS)
        for e, event_type in enumerate(types * 4)
    ]
    pl.DataFrame(rows, schema=["user", "item", "time", "event_type"], orient="row").write_csv(tmp_path / "log.csv")
    c = base()
    c.data.source, c.data.prepared_dir = str(tmp_path / "log.csv"), str(tmp_path / "prepared")
    c.data.target_types, c.split.kind = ("purchase",), "leave_one_out"
    c.train.negatives = 4
    built = build(c)
    item = built.histories.items["item"].to_list()
    assert {item[index - 1] for index in np.asarray(built.negatives().events)} == {"bought"}
