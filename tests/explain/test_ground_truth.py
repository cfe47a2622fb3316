"""Planted causes are found again in the histories, and ranks are those of the events that they are about."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from tests.explain.cases import run_of
from trajectory.data.simulate.synthetic import Synthetic, write
from trajectory.data.store import builder
from trajectory.explain import ground_truth_table
from trajectory.explain.explain import Explainer
from trajectory.explain.ground_truth import Planted, find_causes, read_planted
from trajectory.schema import Histories, Queries
from trajectory.settings import base


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    write(Synthetic(users=40, items_per_interest=10, causes=20, distractors=2, basket_size=6), folder / "log", seed=1)
    return folder


@pytest.fixture(scope="module")
def histories(folder) -> Histories:
    data = base().data
    data.source, data.prepared_dir, data.baskets = str(folder / "log"), str(folder / "prepared"), True
    return builder.prepare(data)


@pytest.fixture(scope="module")
def planted(folder, histories) -> Planted:
    return read_planted(folder / "log", histories)


def test_the_truth_is_that_of_the_log_item_by_item(folder, histories, planted) -> None:
    truth = pl.read_parquet(folder / "log" / "truth" / "fired.parquet").sort("user", "target_position")
    queries, ids = planted.queries, histories.items["item"].cast(pl.Int64).to_numpy()
    order = np.lexsort((queries.stop, queries.user))
    users = histories.users["user"].cast(pl.Int64).to_numpy()
    np.testing.assert_array_equal(users[queries.user[order]], truth["user"])
    np.testing.assert_array_equal(ids[planted.target[order] - 1], truth["target"])
    np.testing.assert_array_equal(ids[histories.item[planted.cause[order]] - 1], truth["trigger"])
    assert (histories.offsets[queries.user] == queries.start).all()
    # The target's step begins where the forecast is made, and the cause's lies before.
    assert (histories.step[queries.stop] == histories.step[queries.stop - 1] + 1).all()
    assert (planted.cause < queries.stop).all()
    assert (planted.cause >= queries.start).all()
    ends = np.searchsorted(histories.offsets, queries.stop, side="right") - 1
    assert all(
        planted.target[i]
        in histories.item[a : a + (histories.step[a : histories.offsets[u + 1]] == histories.step[a]).sum()]
        for i, (a, u) in enumerate(zip(queries.stop, ends, strict=True))
    )


def test_distractors_are_all_that_were_planted(folder, histories, planted) -> None:
    origins = pl.read_parquet(folder / "log" / "truth" / "origins.parquet")
    log = pl.read_parquet(folder / "log" / "interactions.parquet").rename({"user_id": "user"})
    items = log.join(origins, on=["user", "position"]).filter(pl.col("origin") == "distractor")["item_id"]
    ids = histories.items["item"].cast(pl.Int64).to_numpy()
    assert sorted(ids[histories.item[planted.distractor] - 1]) == sorted(items)


@pytest.fixture
def ranked(tmp_path, histories, planted, monkeypatch):
    """Rows of a method that gives each event this score: {ranking: row}."""

    def by(score: np.ndarray, planted: Planted = planted) -> dict[str, dict]:
        def method(self: Explainer, name: str):
            def explained(function, inputs):
                return SimpleNamespace(
                    events=np.stack([score[first + np.arange(inputs.mask.shape[1])] for first in self.first]),
                    forecast=np.log(np.full(len(inputs.mask), 0.25)),
                )

            return explained

        forecasts = Explainer.forecasts

        def noted(self: Explainer, *arguments, **named):
            for part in forecasts(self, *arguments, **named):
                self.first = np.minimum(part.first, histories.num_events - part.inputs.mask.shape[1])
                assert (self.first == part.first).all()
                yield part

        monkeypatch.setattr(Explainer, "method_named", method)
        monkeypatch.setattr(Explainer, "forecasts", noted)
        run = run_of(tmp_path, "gru", histories)
        return {row["ranking"]: row for row in find_causes(run, histories, planted, ["mine"], 30)}

    return by


def test_a_method_that_knows_the_causes_is_always_right(histories, planted, ranked) -> None:
    score = np.zeros(histories.num_events)
    score[planted.cause] = 1
    found = ranked(score)
    assert (found["mine"]["first"], found["mine"]["distractor_first"]) == (1, 0)
    assert found["mine"]["distractor"] == found["mine"]["distractor_size"] == 0.5
    assert found["mine"]["probability"] == pytest.approx(0.25)
    assert found["mine"]["forecasts"] == 30
    assert set(found) == {"mine", "newest first", "random order"}
    assert found["random order"]["first"] < 0.7


def test_a_method_that_falls_for_distractors_is_seen_to(histories, planted, ranked) -> None:
    score = -2.0 * planted.distractor
    score[planted.cause] = 1
    found = ranked(score)["mine"]
    assert (found["first"], found["distractor"], found["distractor_size"]) == (1, 0, 1)
    score = 2.0 * planted.distractor
    score[planted.cause] = 1
    found = ranked(score)["mine"]
    assert (found["first"], found["distractor_first"], found["distractor"]) == (0, 1, 1)


def test_a_distractor_is_measured_against_its_own_basket(histories, planted, ranked) -> None:
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    basket = user * 10_000 + histories.step
    score = np.where(np.isin(basket, basket[planted.cause]), 0.0, 3.0)
    score[planted.distractor] = 1
    assert ranked(score)["mine"]["distractor"] == 1


def test_the_nats_of_each_part_of_the_cause_s_basket_are_reported(histories, planted, ranked) -> None:
    interest = histories.item_interest[histories.item]
    score = interest * 1.0
    score[planted.distractor] = 30
    score[planted.cause] = 70
    few = Queries(*(column[:30] for column in planted.queries))
    found = ranked(score, replace(planted, queries=few, target=planted.target[:30], cause=planted.cause[:30]))
    same_interest, others = [], []
    for start, stop, target, cause in zip(few.start, few.stop, planted.target, planted.cause, strict=False):
        for event in range(start, stop):
            if histories.step[event] == histories.step[cause] and score[event] < 30:
                same = interest[event] == histories.item_interest[target]
                (same_interest if same else others).append(interest[event])
    mine = found["mine"]
    assert (mine["nats_cause"], mine["nats_distractor"]) == (70, 30)
    assert (mine["nats_same_interest"], mine["nats_others"]) == pytest.approx((np.mean(same_interest), np.mean(others)))
    assert found["random order"]["nats_cause"] is None


def test_a_tie_is_no_find(histories, ranked) -> None:
    found = ranked(np.zeros(histories.num_events))["mine"]
    assert (found["first"], found["distractor_first"]) == (0, 0)


def test_table_and_picture(tmp_path) -> None:
    shares = {"first": 0.9, "distractor_first": 0.01, "distractor": 0.5, "distractor_size": 0.4, "probability": 0.02}
    nats = {"nats_cause": 2.345, "nats_distractor": 0.1, "nats_same_interest": None, "nats_others": -0.06}
    rows = [
        {"log": f"{varied} {value:g}", "varied": varied, "value": value, "ranking": ranking, **shares, **nats}
        for varied, values in {"chance": (0.6, 0.3), "lag": (5.0, 10.0)}.items()
        for value in values
        for ranking in ("occlusion", "newest first")
    ]
    table = pl.DataFrame(rows)
    lines = ground_truth_table.markdown(table).splitlines()
    assert lines[2] == "| chance 0.6 | occlusion | 0.900 | 0.010 | 0.500 | 0.400 | +2.35 | +0.10 |  | -0.06 | 0.020 |"
    assert len(lines) == 2 + len(rows)
    ground_truth_table.draw(table, tmp_path / "truth.png")
    assert (tmp_path / "truth.png").stat().st_size > 10_000
