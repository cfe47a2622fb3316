"""What `evaluate` reports is what the lists hold that `predict` writes, and users with nothing left are named."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict

import numpy as np
import polars as pl
import pytest

from trajectory.baselines.next_item import baselines
from trajectory.data.pipeline import splits
from trajectory.data.store import builder
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.presets import own_log
from trajectory.settings import set_by_hand
from trajectory.training import experiment, loop

ITEMS, USERS, K = 40, 80, 10


def repeating_log(rng):
    """Users' items, half of whose last ones repeat an earlier one."""
    lists = []
    for user in range(USERS):
        items = (1 + rng.permutation(ITEMS)[: rng.integers(4, 9)]).tolist()
        lists.append([*items, items[0] if user % 2 else 1 + (items[-1] % ITEMS)])
    return lists


def complete_log(rng):
    """Users who have had all of three items, but for the last one."""
    return [[1, 2, 3, *rng.integers(1, 4, 6).tolist()] for _ in range(20)] + [[1, 2, 1, 2, 1]]


def trained(folder, lists, **settings):
    rows = [
        (f"u{u}", f"i{item}", 1_704_067_200 + 60 * n) for u, items in enumerate(lists) for n, item in enumerate(items)
    ]
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(folder / "log.csv")
    config = own_log.get_config(f"path={folder / 'log.csv'},model=gru,tiny")
    settings |= {"data.prepared_dir": str(folder / "prepared"), "train.devices": 1, "train.epochs": 2}
    settings |= {"logging.wandb": False, "logging.tensorboard": False}
    set_by_hand(config, settings)
    built = experiment.build(config)
    loop.train(built, folder / "run", ValidationMonitor(built))
    return folder / "run"


def write_histories(path, lists):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "item", "time"])
        for u, items in enumerate(lists):
            writer.writerows([f"u{u}", f"i{item}", 1_704_067_200 + 60 * n] for n, item in enumerate(items))
    return path


@pytest.fixture(scope="module")
def repeating(tmp_path_factory):
    lists = repeating_log(np.random.default_rng(0))
    return trained(tmp_path_factory.mktemp("repeating"), lists), lists


@pytest.mark.parametrize("seen", ["filter", "keep"])
def test_evaluation_equals_what_is_counted_in_the_lists_of_predict(script, repeating, tmp_path, seen):
    workdir, lists = repeating
    config = experiment.load_config(workdir / "config.json")
    config.evaluation.seen = seen  # nothing that is learned depends on it
    experiment.save_config(config, workdir / "config.json")
    assert script("evaluate", f"--workdir={workdir}").code == 0
    given = write_histories(tmp_path / "histories.csv", [items[:-1] for items in lists])
    ran = script("predict", f"--workdir={workdir}", f"--events={given}", f"--out={tmp_path / 'p.csv'}", f"--top={K}")
    assert ran.code == 0, ran.err
    delivered = defaultdict(list)
    with (tmp_path / "p.csv").open() as file:
        for row in csv.DictReader(file):
            delivered[row["user"]].append(row["item"])
    places = [
        1 + delivered[f"u{u}"].index(f"i{items[-1]}") if f"i{items[-1]}" in delivered[f"u{u}"] else math.inf
        for u, items in enumerate(lists)
    ]
    found = json.loads((workdir / "evaluation.json").read_text())
    reported = found["metrics"]["test"]
    assert reported["hr@10"] == pytest.approx(sum(place <= K for place in places) / USERS)
    assert reported["ndcg@10"] == pytest.approx(sum(1 / math.log2(place + 1) for place in places) / USERS)
    facts = found["protocol"]
    repeats = sum(items[-1] in items[:-1] for items in lists)
    assert facts["repeat_targets"]["test"] == repeats >= USERS / 2
    assert facts["repeat_share"]["test"] == pytest.approx(repeats / USERS)

    # The baselines' lists: their scores without what each user has had, ties in the middle.
    histories, split = splits.split(builder.prepare(config.data), config.split)
    for baseline in baselines(histories, split, config):
        scores = baseline.scores(split.test)
        if scores is None:
            continue
        hits = 0.0
        for row, (start, stop, end) in enumerate(zip(*split.test[1:], strict=True)):
            own, target = np.array(scores[row], float), histories.item[end - 1]
            own[0] = -np.inf
            if seen == "filter":
                own[histories.item[start:stop]] = -np.inf
            middle = (own > own[target]).sum() + ((own == own[target]).sum() + 1) / 2
            hits += bool(np.isfinite(own[target]) and middle <= K)
        assert found["baselines"][baseline.name]["test"]["hr@10"] == pytest.approx(hits / USERS), baseline.name


def test_users_with_nothing_left_get_an_empty_list_and_the_reason(script, tmp_path):
    lists = complete_log(np.random.default_rng(0))
    workdir = trained(tmp_path, lists, **{"evaluation.seen": "filter", "forecast.users": 0})
    ran = script("evaluate", f"--workdir={workdir}")
    assert "20 users with nothing left" in ran.out
    assert json.loads((workdir / "evaluation.json").read_text())["protocol"]["nothing_left"]["test"] == 20

    given, out = f"--events={write_histories(tmp_path / 'h.csv', lists)}", tmp_path / "p.json"
    ran = script("predict", f"--workdir={workdir}", given, f"--out={out}", "--steps=2")
    assert (ran.code, "20 of 21 users get an empty list" in ran.out) == (0, True), ran.err
    assert "1 users have fewer than 2 items left" in ran.out
    assert "21 users; written" in ran.out
    path, without = (json.loads((tmp_path / f"p_{name}.json").read_text()) for name in ("path", "without"))
    for rows in (json.loads(out.read_text()), path):
        assert [(row["user"], row["item"]) for row in rows] == [("u20", "i3")]
    assert len(without) == 20
    assert "has had every item" in next(row["reason"] for row in without if row["user"] == "u3")
    ran = script("predict", f"--workdir={workdir}", given, f"--out={tmp_path / 'p.csv'}")
    assert set(pl.read_csv(tmp_path / "p.csv")["user"]) == {"u20"}
    assert pl.read_csv(tmp_path / "p_without.csv").height == 20

    ran = script("forecast", f"--workdir={workdir}")
    assert (ran.code, "20 of 21 users get an empty list" in ran.out) == (0, True), ran.err
    rows = pl.read_parquet(workdir / "forecast.parquet")
    assert set(rows.filter(pl.col("user") == "u3")["statement"]) == {"nothing_left"}
    assert "at_step" in set(rows.filter(pl.col("user") == "u20")["statement"])
    assert "has had every item" in (workdir / "report.html").read_text()

    ran = script("explain", f"--workdir={workdir}", "--target=item", "--users=0", "--method=occlusion")
    assert (ran.code, "20 of 21 users have no list to explain" in ran.out) == (0, True), ran.err
    rows = pl.read_parquet(workdir / "attributions.parquet")
    assert (set(rows["user"]), set(rows["target"])) == ({"u20"}, {"i3"})
    assert not rows["value"].is_nan().any()
    assert "has had every item" in (workdir / "attributions.html").read_text()
    ran = script("explain", f"--workdir={workdir}", "--target=item", "--user=u3")
    assert (ran.code, "--target=item=ID" in ran.err) == (2, True)
    assert script("export", f"--workdir={workdir}").code == 0
