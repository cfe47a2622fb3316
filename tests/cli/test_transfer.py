"""One model of several shops, and what a target makes of it, by the commands."""

from __future__ import annotations

import json
from pathlib import Path

import jax
import numpy as np
import polars as pl
import pytest

from tests.cli.test_configs import QUIET
from tests.commands import ROOT
from trajectory.evaluation.transfer import measure
from trajectory.settings.flags import read
from trajectory.training.checkpoint import Checkpoints

SORTS = ("cream", "soap", "comb", "scent")


def shop(path: Path, seed: int, users: int = 80, items: int = 24, turn: int = 1) -> Path:
    """A made-up log whose shoppers go from one sort of item to the next; all shops know the same sorts."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        sort = int(rng.integers(len(SORTS)))
        for event in range(8):
            item = sort + len(SORTS) * int(rng.integers(items // len(SORTS)))
            rows.append((f"u{user}", f"{path.stem} {item}", 1_704_067_200 + 3600 * event, SORTS[sort]))
            sort = (sort + turn) % len(SORTS)
    pl.DataFrame(rows, schema=["user", "item", "time", "category"], orient="row").write_csv(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where all runs of this file lie."""
    return tmp_path_factory.mktemp("shops")


@pytest.fixture
def shops(script, folder):
    """(folder, arguments of all runs, workdir of a run pretrained on two made-up shops)."""
    given = (
        f"--config.data.prepared_dir={folder / 'prepared'}",
        "--config.content.text=()",
        "--config.content.codes=('category',)",
        *QUIET,
    )
    if not (folder / "sources").exists():
        shop(folder / "west.csv", 7)  # the target
        names = "+".join(str(shop(folder / f"{name}.csv", seed)) for seed, name in enumerate(("north", "south")))
        learn = ("--config.train.epochs=30", "--config.optim.learning_rate=0.02")
        config = f"--config=configs/pretrain.py:tiny,sources={names}"
        found = script("train", config, *given, *learn, f"--workdir={folder / 'sources'}")
        assert found.code == 0, found.err
    return folder, given, folder / "sources"


def finetune(script, shops, name: str, argument: str, *more: str):
    folder, given, sources = shops
    config = f"--config=configs/finetune.py:tiny,target={folder / 'west.csv'},init={sources},{argument}"
    found = script("train", config, *given, *more, f"--workdir={folder / name}")
    assert found.code == 0, found.err
    return found, json.loads((folder / name / "training.json").read_text()), folder / name


def test_what_shops_teach_is_right_in_a_shop_that_training_never_saw(script, shops):
    found, zero, workdir = finetune(script, shops, "zero", "start=zero_shot", "--config.train.epochs=0")
    assert "  missing there (0): -\n  unexpected there (0): -\n  of another shape (0): -\n" in found.out
    assert (zero["epochs"], zero["finished"]) == (0, True)
    # One sort of four comes next: six items of 24, so ten places hold all of them, and chance has four in ten.
    hit = json.loads(evaluated(script, workdir))["metrics"]["test"]
    assert hit["hr@10"] > 0.8
    _, scratch, _ = finetune(
        script, shops, "scratch", "start=scratch", "--config.train.epochs=0", "--config.init.init_from="
    )
    assert scratch["best_ndcg@10"] < zero["best_ndcg@10"] / 2, "what is likely before anything is learned"


def evaluated(script, workdir: Path) -> str:
    found = script("evaluate", f"--workdir={workdir}")
    assert found.code == 0, found.err
    return (workdir / "evaluation.json").read_text()


def test_few_users_train_and_what_is_frozen_stays(script, shops):
    found, _, workdir = finetune(script, shops, "frozen", "start=frozen,users=0.3")
    assert (
        "  skipped by rule (4): params/narrow/bias, params/narrow/kernel, params/prior/decay, params/prior/log_share\n"
        in found.out
    )
    mine, theirs = best(workdir), best(shops[2])
    for part in ("items", "event", "backbone"):
        for one, other in zip(leaves(mine[part]), leaves(theirs[part]), strict=True):
            np.testing.assert_array_equal(one, other)
    assert any(
        np.any(one != other) for one, other in zip(leaves(mine["narrow"]), leaves(theirs["narrow"]), strict=True)
    )
    protocol = json.dumps(json.loads(evaluated(script, workdir))["protocol"])
    assert "Only 24 of 80 users train and validate." in protocol
    metrics = json.loads((workdir / "evaluation.json").read_text())["metrics"]["test"]
    assert "hr@10" in metrics


def test_ids_may_begin_near_what_is_alike(script, shops):
    folder, given, _ = shops
    log = shop(folder / "rare.csv", 5)
    with log.open("a") as file:
        file.write(f"u0,rare new,{1_704_067_200 + 3600 * 50},cream\n")  # of which training has no event
    vectors = {"item": [f"rare {i}" for i in range(24)], "vector": np.eye(len(SORTS))[np.arange(24) % 4].tolist()}
    pl.DataFrame(vectors).write_parquet(folder / "sorts.parquet")
    files = f"--config.content.files={{'sort': '{folder / 'sorts.parquet'}'}}"
    config = f"--config=configs/finetune.py:tiny,target={log},by=near+ids"
    found = script("train", config, *given, files, f"--workdir={folder / 'near'}")
    assert found.code == 0, found.err
    assert "from item vectors of co_occurrence+content" in found.out
    assert "hr@10_cold" in json.loads(evaluated(script, folder / "near"))["metrics"]["test"]
    refused = script("train", config, *given, files, "--config.content.frozen=0", f"--workdir={folder / 'no'}")
    assert refused.code == 2
    assert "compares numbers of content.frozen, and that is 0" in refused.err
    assert not (folder / "no").exists()


def best(workdir: Path):
    checkpoints = Checkpoints(workdir, read_only=True)
    found = checkpoints.restore_best()[1]["params"]
    checkpoints.close()
    return found


def leaves(tree) -> list[np.ndarray]:
    return [np.asarray(x) for x in jax.tree.leaves(tree)]


def test_rules_and_starts_that_fit_nothing_are_refused(script, shops):
    folder, given, sources = shops
    for argument, words in (
        ("start=frozen", "start=frozen needs init=WORKDIR"),
        (f"start=half,init={sources}", "start=half is unknown"),
    ):
        found = script("train", f"--config=configs/finetune.py:{argument}", f"--workdir={folder / 'no'}")
        assert found.code == 2
        assert words in found.err
    rule = "--config.init.rules=(('tower/*','freeze'),)"
    config = f"--config=configs/finetune.py:tiny,target={folder / 'west.csv'},init={sources}"
    found = script("train", config, *given, rule, f"--workdir={folder / 'no'}")
    assert found.code == 2
    assert "'tower/*' matches no parameter" in found.err


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
def test_a_source_helps_where_one_sort_follows_another_as_there(script, shops):
    folder, given, sources = shops
    for name, turn in (("east", 1), ("same", 0)):
        shop(folder / f"{name}.csv", 9, turn=turn)
    leads = {}
    for name in ("east", "same"):
        argument = f"--config={ROOT}/configs/finetune.py:tiny,target={folder / name}.csv"
        (row,) = measure(read([argument, *given]), {"sources": sources})
        assert (row["target"], row["source"]) == (name, "sources")
        assert row["low_test"] < row["difference_test"] < row["high_test"]
        assert row["test"] - row["prior_test"] == pytest.approx(row["difference_test"])
        leads[name] = row["difference_test"]
    (row,) = measure(read([argument, *given, "--config.init.rules=(('*','skip'),)"]), {"sources": sources})
    assert row["test"] == row["prior_test"], "nothing is taken over"
    assert leads["east"] > 0.1
    assert leads["same"] < 0.0


def test_the_table_of_sources_and_targets_is_one_command(script, tmp_path, trained_here):
    paths = [shop(tmp_path / f"{name}.csv", seed) for seed, name in enumerate(("north", "south"))]
    quick = ("model.width=8", "model.layers=(8,)", "train.epochs=1", "train.devices=1", "logging.wandb=False")
    ran = script(
        "transfer",
        f"--domains={','.join(map(str, paths))}",
        f"--out={tmp_path / 'out'}",
        "--config.content.text=()",
        "--config.content.codes=('category',)",
        f"--config.data.prepared_dir={tmp_path / 'prepared'}",
        *(f"--config.{text}" for text in (*quick, "logging.tensorboard=False")),
    )
    assert ran.code == 0, ran.err
    assert [run.member for run in trained_here] == ["north", "south"]
    table = pl.read_csv(tmp_path / "out" / "transfer.csv")
    assert table.select("target", "source").rows() == [(a, b) for a in ("north", "south") for b in ("north", "south")]
    assert "| north |" in (tmp_path / "out" / "transfer.md").read_text()
    assert (tmp_path / "out" / "transfer.png").read_bytes().startswith(b"\x89PNG")


def test_sources_of_which_a_split_leaves_items_out_are_refused(script, shops):
    folder, given, _ = shops
    late = shop(folder / "late.csv", 3)
    with late.open("a") as file:
        file.write(f"u0,new,{1_704_067_200 + 3600 * 50},cream\n")  # bought by nobody before
    names = f"{folder / 'north.csv'}+{late}"
    found = script(
        "train",
        f"--config=configs/pretrain.py:tiny,sources={names}",
        *given,
        "--config.split.kind=temporal",
        "--config.split.quantile=0.7",
        f"--workdir={folder / 'no'}",
    )
    assert found.code == 2
    assert "sources.names needs a split that leaves no item out; split.kind=temporal does" in found.err
