"""Ensembles worked by hand on tiny arrays; runs that do not fit together are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.baselines.test_next_item import hold_out
from tests.builders import fake_run, make_histories, random_histories
from trajectory.baselines.next_item import Popularity
from trajectory.evaluation.ensemble import (
    BaselineDistribution,
    MeanProbability,
    ReciprocalRank,
    fit_weights,
    refuse_unlike,
)
from trajectory.evaluation.protocol import evaluate, measure, table
from trajectory.metrics.mixture import mixture_weights
from trajectory.protocols import Scores
from trajectory.schema import Queries, UserError
from trajectory.settings import base

HISTORIES = make_histories([[3, 1, 2]], num_items=3)  # item 3 is in the history, 1 is asked for
QUERIES = Queries(*(np.array([value]) for value in (0, 0, 1, 2)))


class Fixed:
    """Says the same of every query, as a model does: logs of probabilities of items 1.. and of interests 1.."""

    batch, log_probabilities = None, False

    def __init__(self, probabilities: list[float], interests: list[float] | None = None, name: str = "") -> None:
        self.name = name
        self.log = np.log(np.array([1.0, *probabilities], np.float32))
        self.interest = interests and np.log(np.array([1.0, *interests], np.float32))

    def score(self, queries: Queries) -> Scores:
        n = len(queries.user)
        interests = None if self.interest is None else np.tile(self.interest, (n, 1))
        return Scores(np.tile(self.log, (n, 1)), interests)


def probabilities(scores: Any) -> np.ndarray:
    return np.exp(np.asarray(scores))[0, 1:]


def test_probabilities_are_averaged_by_weight():
    members = [Fixed([0.5, 0.3, 0.2]), Fixed([0.1, 0.1, 0.8])]
    pooled = MeanProbability(members, np.array([0.25, 0.75]), HISTORIES, "keep")
    np.testing.assert_allclose(probabilities(pooled.score(QUERIES).items), [0.2, 0.15, 0.65], rtol=1e-5)


def test_what_a_member_gives_to_seen_items_is_not_held_against_it():
    members = [Fixed([0.5, 0.3, 0.2]), Fixed([0.1, 0.1, 0.8])]  # of items 1 and 2: (5/8, 3/8) and (1/2, 1/2)
    pooled = MeanProbability(members, np.array([0.5, 0.5]), HISTORIES, "filter")
    found = probabilities(pooled.score(QUERIES).items)
    np.testing.assert_allclose(found[:2], [9 / 16, 7 / 16], rtol=1e-5)
    assert found[2] == 0


def test_a_member_without_weight_has_no_say():
    members = [Fixed([0.5, 0.3, 0.2]), Fixed([0.1, 0.1, 0.8])]
    pooled = MeanProbability(members, np.array([1.0, 0.0]), HISTORIES, "keep")
    np.testing.assert_allclose(probabilities(pooled.score(QUERIES).items), [0.5, 0.3, 0.2], rtol=1e-5)


@pytest.mark.parametrize(("seen", "has"), [("keep", True), ("filter", False)])
def test_a_distribution_over_all_items_has_a_log_loss(seen, has):
    h = random_histories(40, 12, 9)
    split, config = hold_out(h), base()
    config.evaluation.update({"bootstrap": 20, "seen": seen, "cutoffs": (1,)})
    members = [Fixed([1 / 12] * 12), Fixed([1 / 12] * 12)]
    for kind, log_loss in ((MeanProbability, has), (ReciprocalRank, False)):
        ensemble = kind(members, np.array([0.5, 0.5]), h, seen)
        means = measure({"ensemble": ensemble}, h, split, config)["ensemble"]["test"].means()
        assert ("log_loss" in means) == log_loss
        if log_loss:
            assert means["log_loss"] == pytest.approx(np.log(12), rel=1e-5)


def test_column_0_never_is_a_candidate_even_where_seen_items_leave_no_padding():
    h = make_histories([[*range(1, 65), 65]], num_items=66)
    queries = Queries(*(np.array([value]) for value in (0, 0, 64, 65)))
    pooled = MeanProbability([Fixed([1 / 66] * 66)], np.ones(1), h, "filter")
    np.testing.assert_allclose(probabilities(pooled.score(queries).items)[64:], [0.5, 0.5], rtol=1e-5)


def test_a_history_of_the_whole_catalogue_is_no_number_lost():
    h = make_histories([[1, 2, 3, 1]], num_items=3)
    queries = Queries(*(np.array([value]) for value in (0, 0, 3, 4)))
    pooled = MeanProbability([Fixed([0.5, 0.3, 0.2])], np.ones(1), h, "filter")
    assert np.isneginf(np.asarray(pooled.score(queries).items)).all()


@pytest.mark.parametrize("kind", [MeanProbability, ReciprocalRank])
def test_interests_are_averaged_where_all_models_state_them(kind):
    members = [Fixed([0.5, 0.3, 0.2], [0.5, 0.5, 0.0001]), Fixed([0.5, 0.3, 0.2], [0.9, 0.1, 0.0001])]
    baseline = BaselineDistribution(Popularity().fit(HISTORIES, hold_out(HISTORIES)))
    weights = np.array([0.2, 0.6, 0.2])
    found = kind([*members, baseline], weights, HISTORIES, "keep").score(QUERIES).interests
    first, second, _ = probabilities(found)
    assert first / second == pytest.approx((0.2 * 0.5 + 0.6 * 0.9) / (0.2 * 0.5 + 0.6 * 0.1), rel=1e-3)
    members.append(Fixed([0.5, 0.3, 0.2]))
    assert kind(members, np.ones(3) / 3, HISTORIES, "keep").score(QUERIES).interests is None


def test_ranks_are_fused_and_ties_share_theirs():
    members = [Fixed([0.5, 0.3, 0.2]), Fixed([0.1, 0.1, 0.8])]  # ranks 1, 2, 3 and 2.5, 2.5, 1
    fused = ReciprocalRank(members, np.array([0.5, 0.5]), HISTORIES, "keep").score(QUERIES).items[0, 1:]
    np.testing.assert_allclose(fused, [0.5 / (60 + a) + 0.5 / (60 + b) for a, b in ((1, 2.5), (2, 2.5), (3, 1))])


def test_a_baseline_becomes_a_distribution():
    h = make_histories([[1, 1, 1, 2, 3, 3], [1, 3, 2]], num_items=4)  # trained: 1, 1, 1, 2 and 1
    baseline = Popularity().fit(h, hold_out(h))
    np.testing.assert_array_equal(baseline.popularity, [0, 4, 1, 0, 0])
    queries = Queries(*(np.array([value]) for value in (0, 0, 4, 5)))
    # 0.9 of the shares 4/5, 1/5, 0, 0 and 0.1 of the shares 5/9, 2/9, 1/9, 1/9 of the counts + 1, squared
    share = 0.9 * np.array([0.8, 0.2, 0, 0]) + 0.1 * np.array([5, 2, 1, 1]) / 9
    found = MeanProbability([BaselineDistribution(baseline, 2.0)], np.ones(1), h, "keep").score(queries).items
    np.testing.assert_allclose(probabilities(found), share**2 / (share**2).sum(), rtol=1e-5)


def test_the_exponent_of_a_baseline_follows_the_targets():
    flat = make_histories([[1, 1, 1, 2, 1], [1, 1, 1, 3, 1], [1, 2, 1, 4, 1]], num_items=4)
    sharp = make_histories([[1, 1, 1, 1, 1], [1, 1, 2, 1, 1], [1, 3, 1, 1, 1]], num_items=4)
    config = base()
    config.evaluation.seen = "keep"
    found = []
    for h in (flat, sharp):
        split = hold_out(h)
        found.append(BaselineDistribution(Popularity().fit(h, split)).fit(h, split.validation, config).exponent)
    assert found == [0.25, 4.0]


def test_mixture_weights_are_the_likeliest():
    # One coin says heads 0.9, the other 0.1; 70 of 100 are heads: 0.9 w + 0.1 (1 - w) = 0.7.
    log = np.log(np.array([[0.9, 0.1]] * 70 + [[0.1, 0.9]] * 30))
    np.testing.assert_allclose(mixture_weights(log, np.full(100, 0.01)), [0.75, 0.25], atol=1e-4)
    np.testing.assert_allclose(mixture_weights(log - 2000, np.full(100, 0.01)), [0.75, 0.25], atol=1e-4)


def test_weights_go_to_the_member_that_foretells_and_cold_targets_have_no_say():
    h = make_histories([[3, 1, 1], [3, 1, 1], [3, 2, 1], [3, 4, 1]], num_items=4)
    h = replace(h, num_items=3)  # the last user's validation target is cold
    queries = Queries(np.arange(4), h.offsets[:-1], h.offsets[:-1] + 1, h.offsets[:-1] + 2)
    members = [Fixed([0.9, 0.05, 0.05]), Fixed([0.05, 0.9, 0.05])]
    config = base()
    # Seen item 3 is left out: 18/19 and 1/19. Two of three targets are item 1: 18 w + 1 (1 - w) = 38/3.
    np.testing.assert_allclose(fit_weights(members, h, queries, config), [35 / 51, 16 / 51], atol=1e-4)
    config.evaluation.batch = 3  # the last chunk has nothing but the cold one
    np.testing.assert_allclose(fit_weights(members, h, queries, config), [35 / 51, 16 / 51], atol=1e-4)
    last = Queries(*(column[3:] for column in queries))
    np.testing.assert_array_equal(fit_weights(members, h, last, config), [0.5, 0.5])


def test_each_query_weighs_the_same_in_the_fit():
    h = make_histories([[3, 1, 2, 3], [3, 1, 3]], steps=[[0, 1, 1, 2], [0, 1, 2]], num_items=3)
    queries = Queries(np.arange(2), np.array([0, 4]), np.array([1, 5]), np.array([3, 6]))
    members = [Fixed([0.9, 0.05, 0.05]), Fixed([0.05, 0.9, 0.05])]
    # Item 1 weighs 1/4 + 1/2: 17 w + 1 = 19 * 3/4 in nineteenths.
    np.testing.assert_allclose(fit_weights(members, h, queries, base()), [53 / 68, 15 / 68], atol=1e-4)


def run(folder: str, **changes: Any) -> Any:
    """What refuse_unlike reads of a run."""
    config = base()
    config.update_from_flattened_dict({key: value for key, value in changes.items() if "." in key})
    h = replace(random_histories(20, 10, 9), fingerprint=changes.get("fingerprint", "1" * 64))
    split = hold_out(h)
    if shift := changes.get("shift"):
        split = replace(split, train_end=split.train_end - shift)
    return fake_run(workdir=Path(folder), histories=h, split=split, config=config)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fingerprint": "2" * 64}, "fingerprint of the data (111111111111 and 222222222222)"),
        ({"evaluation.seen": "keep"}, "evaluation.seen (filter and keep)"),
        ({"split.kind": "leave_last", "split.steps": 1, "shift": 1}, "split.kind (leave_one_out and leave_last)"),
    ],
)
def test_runs_that_do_not_fit_together_are_refused(changes, words):
    with pytest.raises(UserError) as error:
        refuse_unlike(run("runs/a"), run("runs/b", **changes))
    assert words in str(error.value)
    assert "runs/a and runs/b" in str(error.value)


def test_what_does_not_change_the_candidates_may_differ():
    refuse_unlike(run("a"), run("b", **{"split.cut": "2024-01-01", "batch.length": 8, "evaluation.bootstrap": 7}))


def test_members_stand_beside_the_ensemble_and_the_best_one_on_validation_meets_it():
    h = random_histories(40, 12, 9)
    split, config = hold_out(h), base()
    config.evaluation.update({"bootstrap": 20, "seen": "keep", "cutoffs": (1,)})
    first, second = (int(np.bincount(h.item[queries.stop]).argmax()) for queries in (split.validation, split.test))
    assert first != second
    members = [
        Fixed(np.where(np.arange(1, 13) == item, 0.5, 0.01).tolist(), name=name)
        for item, name in ((second, "runs/a"), (first, "runs/b"))
    ]
    baseline = Popularity().fit(h, split)
    ensemble = MeanProbability([*members, BaselineDistribution(baseline)], np.array([0.2, 0.2, 0.6]), h, "keep")
    facts = {"combination": "mean", "members": {"runs/a": {"weight": 0.2}, "runs/b": {"weight": 0.6}}}
    rows = measure({baseline.name: baseline}, h, split, config)
    found, _ = evaluate(ensemble, rows, h, split, config, singles=members, **facts)
    assert set(found["members"]) == set(found["confidence_intervals"]["members"]) == {"runs/a", "runs/b"}
    assert set(found["baselines"]) == {"popularity"}
    alone = {name: by["test"]["ndcg@1"] for name, by in found["members"].items()}
    assert alone["runs/a"] > alone["runs/b"], "test must not choose"
    for part in ("validation", "test"):
        assert found["paired"][part]["ndcg@1"]["baseline"] == "popularity", "a member is no baseline"
        test = found["paired_member"][part]["ndcg@1"]
        assert test["member"] == "runs/b"
        ours, its = found["metrics"][part]["ndcg@1"], found["members"]["runs/b"][part]["ndcg@1"]
        assert test["difference"] == pytest.approx(ours - its)
    text = table(found)
    for words in ("| ensemble ", "| runs/a ", "| popularity ", "ensemble - popularity", "ensemble - runs/b"):
        assert words in text
    assert "member runs/b: weight 0.6" in text


def test_weights_are_fitted_on_targets_that_a_list_can_hold():
    members = [Fixed([0.5, 0.3, 0.2]), Fixed([0.1, 0.1, 0.8])]
    h = make_histories([[1, 2, 1], [2, 3, 1], [3, 2, 3]], num_items=3)
    queries = Queries(np.arange(3), h.offsets[:-1], h.offsets[1:] - 1, h.offsets[1:])  # only user 1 is asked for new
    config = base()
    for seen, equal in (("filter", True), ("keep", False)):
        config.evaluation.seen = seen
        weights = fit_weights(members, h, queries, config)
        assert (abs(weights[0] - 0.5) < 1e-3) == equal, seen
