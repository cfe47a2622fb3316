"""Chances are of what the split asks for, and told only where they could be fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from tests.cli.logs import item_log
from trajectory.data.store.sample import with_first_look
from trajectory.inference.new_users import whole_histories
from trajectory.insights.recommend import build
from trajectory.insights.recommend import relevance as relevance_of
from trajectory.insights.recommend.evaluate import compare_lists, found_more
from trajectory.insights.recommend.evaluation_page import list_name
from trajectory.insights.recommend.new_buyers import FirstPurchases, first_purchases, past_windows
from trajectory.insights.recommend.relevance import Relevance, limited_to_steps, owned_items, probabilities, steps_asked
from trajectory.insights.recommend.tables import recommend
from trajectory.presets import own_log
from trajectory.run import Run
from trajectory.schema import Queries, Split
from trajectory.settings import set_by_hand
from trajectory.training import experiment


def a_run(folder, split="temporal", users=60, seen="filter", items=30, **by_hand):
    log = item_log(folder / "log.csv", users=users, items=items)
    c = own_log.get_config(f"path={log},model=gru,tiny,split={split}")
    fields = {"data.prepared_dir": str(folder / "prepared"), "heads.horizon": 3, "evaluation.seen": seen}
    fields |= {"split.quantile": 0.6, "model.width": 8}
    set_by_hand(c, fields | {name.replace("__", "."): value for name, value in by_hand.items()})
    built = experiment.build(c)
    return Run.from_experiment(Path(folder), built, built.initial_parameters(jax.random.key(0)), 0)


def taken(run, monkeypatch):
    monkeypatch.setattr(build, "reasons", lambda histories, lists: lists.with_columns(because=pl.lit("")))
    return build.build_recommendations(run)


def test_a_split_by_time_of_ones_own_log_asks_for_as_many_steps_as_are_forecast(tmp_path, capsys):
    run = a_run(tmp_path)
    assert run.config.split.target == "all"
    assert "split.target = all  (heads.horizon=3" in capsys.readouterr().out
    relevance = Relevance(run)
    found = compare_lists(run, relevance, "test")
    assert relevance.steps == found["steps"] == 3
    assert experiment.build(set_by_hand(run.config, {"split.target": "last"})).config.split.target == "last"


def test_a_run_of_some_users_says_of_how_many_on_each_page(tmp_path):
    run = a_run(tmp_path, split__most_events=300)
    log = pl.read_csv(tmp_path / "log.csv")
    h = run.experiment.histories
    assert h.num_users < log["user"].n_unique()
    users = f"{h.num_users} of {log['user'].n_unique()} users"
    assert (
        f"A first look at {users} of log and their {h.num_events} of {log.height} events: all that"
        in with_first_look("", h)
    )
    assert with_first_look("Said.", a_run(tmp_path, split__most_events=0).experiment.histories) == "Said."


@pytest.mark.parametrize("split", ["temporal", "leave_one_out"])
def test_lists_are_for_no_more_steps_than_the_split_asks_for_and_the_page_says_so(tmp_path, monkeypatch, split):
    run = a_run(tmp_path, split, split__target="last")
    part = taken(run, monkeypatch)
    assert part.measured["lists"]["steps"] == 1
    words = " ".join(getattr(block, "words", "") for block in part.blocks)
    rival = found_more(part.measured["lists"])
    assert f"come first by {list_name(rival)}" in words if rival else "most likely within the next event," in words
    assert any("Lists are those of" in sentence for sentence in part.sentences) == bool(rival)
    assert "forecasts 3 events, but its split keeps back no more than 1 of each user" in words
    assert any("took in one event of each that was kept back" in sentence for sentence in part.sentences)
    assert not any("3 event" in sentence for sentence in part.sentences)


def test_chances_add_up_to_what_came_also_where_items_had_before_are_not_suggested(tmp_path):
    """As many as came of new items and of those had before, of the same users, within the same steps."""
    run = a_run(tmp_path, users=300, items=8)
    relevance, h = Relevance(run), run.experiment.histories
    assert set(relevance.fits) == {False, True}
    queries = limited_to_steps(h, run.experiment.split.validation, relevance.steps)
    owned, came = owned_items(h, queries.start, queries.stop), owned_items(h, queries.stop, queries.end)
    found = probabilities(relevance.fits, relevance.read(queries).scores, owned)
    for again in (False, True):
        some = owned == again
        some[:, 0] = False
        assert found[some].sum() == pytest.approx(came[some].sum(), rel=0.02)
    as_said = FirstPurchases(np.zeros(h.num_items + 1, np.int64), np.ones(h.num_items + 1))
    assert recommend(relevance, whole_histories(h), 0.0, as_said).lists["again"].any() is False


def test_chances_that_could_not_be_fitted_are_not_told(tmp_path, monkeypatch):
    run = a_run(tmp_path, users=12)
    relevance = Relevance(run)
    assert not relevance.fits
    part = taken(run, monkeypatch)
    assert part.tables["recommendations"]["probability"].null_count() == part.tables["recommendations"].height > 0
    assert part.tables["new_buyers"].is_empty()
    titles = [getattr(block, "title", "") for block in part.blocks]
    assert "Items with the most users to win" not in titles
    assert not any("to win" in sentence for sentence in part.sentences)
    lists = next(block for block in part.blocks if getattr(block, "title", "") == "One user's lists")
    assert not any("chance" in column for column in lists.rows.columns)
    words = " ".join(getattr(block, "words", "") for block in part.blocks)
    assert "Chances of items that are new to a user are not told" in words
    assert "--config.evaluation.seen=keep lets it come again" in words
    assert "a user has had are not told" not in words


def test_items_of_the_history_and_new_ones_are_on_one_scale_where_one_could_not_be_fitted(tmp_path, monkeypatch):
    run = a_run(tmp_path, users=300, items=8, seen="keep")
    both = Relevance(run)
    h, queries = (
        run.experiment.histories,
        limited_to_steps(run.experiment.histories, run.experiment.split.validation, 3),
    )
    owned, came = owned_items(h, queries.start, queries.stop), owned_items(h, queries.stop, queries.end)
    monkeypatch.setattr(relevance_of, "FEWEST", 1 + int((came & owned).sum()))
    assert set(both.fits) == {False, True}
    one = Relevance(run)
    assert set(one.fits) == {False}
    chance = 1 / (1 + np.exp(-one.read(queries).scores))
    assert chance[owned].sum() == pytest.approx(came[owned].sum(), rel=0.05)


def test_only_what_was_fitted_is_a_chance():
    scores, owned = np.zeros((1, 3)), np.array([[False, True, False]])
    np.testing.assert_array_equal(probabilities({False}, scores, owned), [[0.5, np.nan, 0.5]])
    np.testing.assert_array_equal(probabilities({True}, scores, owned), [[np.nan, 0.5, np.nan]])


def test_steps_asked_for_are_counted(tmp_path):
    run = a_run(tmp_path)
    h, asked = run.experiment.histories, run.experiment.split.test
    np.testing.assert_array_equal(steps_asked(h, asked), asked.end - asked.stop)
    assert steps_asked(h, asked).max() > 3
    assert steps_asked(h, limited_to_steps(h, asked, 2)).max() == 2


def test_days_of_validation_are_told_of_splits_by_time():
    histories = make_histories([[1, 2]] * 4, num_items=2)
    asked = Queries(np.array([0, 2, 3]), *(np.zeros(3, np.int64) for _ in range(3)))
    cut = {"validation": "2024-01-01T00:00:00+00:00", "test": "2024-01-14T00:00:00+00:00"}
    by_time = Split("temporal", histories.offsets[:-1] + 1, asked, asked, "", cut)
    assert relevance_of.validation_days(by_time) == 13
    assert relevance_of.validation_days(replace(by_time, kind="leave_last", cut={})) == 0


def test_chances_of_an_item_that_those_without_it_do_not_want_are_no_higher_than_what_came(tmp_path):
    """Half of the users take their own few of the staples at every other event, and nobody ever takes another one, but
    all take up the other items, which as many have: there is nobody to win for a staple.
    """
    rng = np.random.default_rng(0)
    rows = []
    for user in range(400):
        own = rng.choice(8, 4, replace=False)
        for day in np.sort(rng.choice(100, 24, replace=False)).tolist():
            staple = user % 2 and rng.random() < 0.5
            item = f"staple {rng.choice(own)}" if staple else f"item {rng.integers(60)}"
            rows.append((f"u{user:03d}", item, 1_704_067_200 + 86_400 * day))
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(tmp_path / "log.csv")
    c = own_log.get_config(f"path={tmp_path / 'log.csv'},model=gru,tiny,split=temporal")
    fields = {"data.prepared_dir": str(tmp_path / "prepared"), "heads.horizon": 3, "evaluation.seen": "keep"}
    set_by_hand(c, fields | {"split.quantile": 0.8, "model.width": 8})
    built = experiment.build(c)
    run = Run.from_experiment(tmp_path, built, built.initial_parameters(jax.random.key(0)), 0)
    relevance, h = Relevance(run), run.experiment.histories
    staples = np.append(False, h.items["item"].cast(pl.String).str.starts_with("staple").to_numpy())
    queries = limited_to_steps(h, run.experiment.split.test, relevance.steps)
    owned = owned_items(h, queries.start, queries.stop)
    came = owned_items(h, queries.stop, queries.end)
    new, shifts = ~owned & staples, relevance.shifts

    def too_many() -> float:
        chance = probabilities(relevance.fits, relevance.read(queries).scores, owned)
        return chance[new].sum() - came[new].sum()

    relevance.shifts = {}
    of_popular = too_many()
    relevance.shifts = shifts
    assert too_many() < 0.8 * of_popular
    windows = past_windows(relevance, run.experiment.split)
    assert len(windows) == 2, "validation and test are as long"
    for window, ago in zip(windows, (2, 1), strict=True):
        begin = h.now - ago * relevance.days * 86_400
        assert len(window.user) == (h.time[h.offsets[:-1]] < begin).sum(), "who came or not"
        assert (h.time[window.stop - 1] < begin).all()
        assert (h.time[window.end - 1] < begin + relevance.days * 86_400).all()
    winners = recommend(relevance, whole_histories(h), 0.0, first_purchases(relevance, windows)).new_buyers
    told = winners.filter(pl.col("item").str.starts_with("staple")).sum()
    assert told["expected"][0] - told["lately"][0] < 0.75 * of_popular


def test_shares_are_raised_to_what_came_with_none_above_the_limit():
    share, weight = np.array([0.2, 0.3, 0.5, 3.0]), np.ones(4)
    assert relevance_of.log_scale(share[:3], weight[:3], 1) == pytest.approx(np.log(1.5 / 1.5))
    for came in (1, 2, 3):
        raised = np.minimum(share * np.exp(relevance_of.log_scale(share, weight, came)), relevance_of.MOST)
        assert raised.sum() == pytest.approx(4 * (came + 0.5) / 4.5)
    assert relevance_of.log_scale(share, weight, 40) == 30
