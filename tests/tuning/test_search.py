"""Searches over made-up runs whose metric is their learning rate: what is tried, pruned, taken up again and chosen."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.tuning.test_sweep import CONFIG, interrupt_when, starts
from trajectory.schema import UserError
from trajectory.tuning.search import Search, write_results
from trajectory.tuning.study import Study
from trajectory.tuning.sweep import load
from trajectory.tuning.workers import Workers

pytestmark = [
    pytest.mark.usefixtures("made_up_program"),
]
SETTINGS = ("train.monitor=ndcg@10", "train.epochs=3")


def rates(*values: float):
    """A suggestion that gives the trials these learning rates in turn."""

    def suggest(trial):
        value = values[trial.number % len(values)]
        return {"optim.learning_rate": trial.suggest_float("rate", value, value)}

    return suggest


def search(out: Path, suggest, *settings: str, storage: str = "", startup: int = 1, warmup: int = 0) -> Search:
    return Search(
        CONFIG, suggest, (*SETTINGS, *settings), out, Study(storage or str(out / "t.journal"), startup, warmup)
    )


def work(found: Search, trials: int, workers: int = 1) -> Workers:
    with Workers(workers) as crew:
        found.work(trials, crew)
    return crew


@pytest.fixture(params=["journal", "sqlite"])
def storage(request, tmp_path):
    return str(tmp_path / "x" / "t.journal") if request.param == "journal" else f"sqlite:///{tmp_path}/x/t.db"


def test_a_laggard_is_pruned_and_the_best_is_chosen_on_validation(tmp_path, storage):
    out = tmp_path / "out"
    suggest = rates(0.5, 0.1, 0.75)
    found = search(out, lambda t: suggest(t) | {"note": "hang" if t.number == 1 else ""}, storage=storage)
    work(found, 3)
    table = found.table()
    assert table["trial"].to_list() == [2, 0, 1]
    assert table["state"].to_list() == ["complete", "complete", "pruned"]
    assert table["ndcg@10"].to_list() == pytest.approx([0.75 * 0.875, 0.5 * 0.875, 0.1 * 0.5])
    assert table["epochs"].to_list() == [3, 3, 1], "the laggard is stopped after its first epoch"
    assert table["rate"].to_list() == [0.75, 0.5, 0.1]
    assert found.best().folder == out / "trial_0002"
    text = write_results(found)
    assert "--config.optim.learning_rate=0.75" in text
    assert (out / "search.md").read_text() == text
    assert (out / "search.csv").read_text().splitlines()[1].startswith("2,complete,0.65625,3,0.75,")
    assert not list(out.glob("*/evaluation.json")), "nothing here reads test"


def test_startup_and_warm_up_prune_nothing(tmp_path):
    for name, options in (("a", {"startup": 2}), ("b", {"warmup": 3})):
        found = search(tmp_path / name, rates(0.5, 0.1), "note=pause", **options)
        work(found, 2)
        assert found.table()["state"].to_list() == ["complete", "complete"]


def test_a_loss_is_made_small(tmp_path):
    found = search(tmp_path / "out", rates(0.5, 0.1), "train.monitor=loss", startup=5)
    work(found, 2)
    assert found.best().folder.name == "trial_0001"
    assert found.table()["rate"].to_list() == [0.1, 0.5]


def test_trials_count_over_starts_and_workers_of_one_study(tmp_path, storage):
    out = tmp_path / "out"
    work(search(out, rates(0.1, 0.2, 0.3), storage=storage), 2, workers=min(2, len(Workers(1).shares[0])))
    again = search(out, rates(0.1, 0.2, 0.3), storage=storage)
    work(again, 3)
    work(again, 3)
    assert starts(out) == {f"trial_{i:04d}": 1 for i in range(3)}
    assert sorted(again.table()["rate"]) == [0.1, 0.2, 0.3]


def test_a_trial_that_was_stopped_goes_on_where_it_was(tmp_path):
    out = tmp_path / "out"
    metrics = out / "trial_0000" / "metrics.jsonl"
    interrupt_when(lambda: metrics.exists() and metrics.read_text())
    found = search(out, rates(0.5), "note=hang")
    assert work(found, 1).stopped == signal.SIGTERM
    assert found.best() is None
    write_results(found)
    again = search(out, lambda t: {"optim.learning_rate": t.suggest_float("rate", 0.25, 0.75)}, "note=hang")
    work(again, 1)
    assert starts(out) == {"trial_0000": 2}
    assert json.loads((out / "trial_0000" / "config.json").read_text())["optim"]["learning_rate"] == 0.5, (
        "its values, not new ones"
    )
    assert "begins after epoch 1\n" in (out / "trial_0000" / "log.txt").read_text()
    assert again.table()["epochs"].to_list() == [3], "those before the stop are the study's too"


def test_a_trial_whose_process_was_killed_is_taken_up(tmp_path):
    out = tmp_path / "out"
    killed = search(out, rates(0.5)).study.ask()
    killed.suggest_float("rate", 0.5, 0.5)
    (out / "trial_0000").mkdir()
    killed.set_user_attr("folder", str(out / "trial_0000"))
    found = search(out, rates(0.5))
    work(found, 1)
    assert starts(out) == {"trial_0000": 1}
    assert found.table()["state"].to_list() == ["complete"]


def test_a_failing_trial_is_shown_and_stops_no_other(tmp_path):
    def suggest(trial):
        return {"optim.learning_rate": trial.suggest_float("rate", 0.5, 0.5), "note": "fail" if trial.number else ""}

    found = search(tmp_path / "out", suggest)
    work(found, 3)
    assert found.table()["state"].to_list() == ["complete", "failed", "failed"]


@pytest.mark.parametrize(
    ("fields", "words"), [({"note": "fail"}, "the made-up mistake"), ({"optim.rate": 1}, "unknown config field 'rate'")]
)
def test_a_search_in_which_all_fails_gives_up(tmp_path, fields, words):
    with pytest.raises(UserError, match=f"(?s)all trials so far failed.*{words}"):
        work(search(tmp_path / "out", lambda _: fields), 20)


def test_a_study_of_another_config_is_refused(tmp_path):
    search(tmp_path / "out", rates(0.5))
    with pytest.raises(UserError, match="another config"):
        search(tmp_path / "out", rates(0.5), "optim.b2=0.9")
    search(tmp_path / "out", rates(0.5), "logging.wandb=False")


def test_the_example_fits_its_config(tmp_path):
    suggest = load("search", "suggest")
    config = "amazon_beauty:tiny"
    found = Search(config, suggest, ["note=fail"], tmp_path / "out", Study(str(tmp_path / "t.journal")))
    with pytest.raises(UserError, match="the made-up mistake"):
        work(found, 3)
    assert found.table()["width"].is_in([64, 128]).all()
