"""Steps ahead by hand: what counts as a step, which chances rank, and what floors say of later steps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.baselines.multi_step import Calibrated, Chain, Steady, multi_step_baselines
from trajectory.baselines.next_item import Markov, PersonalFrequency
from trajectory.data.pipeline.splits import split, step_bounds
from trajectory.evaluation.multi_step.metrics import evaluate_multi_step
from trajectory.schema import Queries
from trajectory.settings import base

BASKETS = make_histories(
    [[1, 2, 3, 3, 4, 1, 2, 5], [2, 3, 4]], steps=[[0, 0, 1, 1, 2, 3, 3, 4], [0, 1, 2]], num_items=5
)


class Given:
    """A forecaster that says what it is told."""

    name, batch, timed = "given", 64, False

    def __init__(self, scores, within=None, log_probabilities=False):
        scores = np.asarray(scores, np.float32)
        within = scores if within is None else np.asarray(within, np.float32)
        log_probability = scores if log_probabilities else None
        self.said = SimpleNamespace(scores=scores, within=within, log_probability=log_probability)

    def forecast(self, queries: Queries) -> SimpleNamespace:
        return self.said


def queries(*rows):
    return Queries(*np.array(rows, np.int64).T)


def settings(seen="keep"):
    config = base()
    config.evaluation.seen = seen
    return config


def test_steps_are_baskets_and_end_with_the_query():
    found = step_bounds(BASKETS, queries((0, 0, 2, 8), (0, 0, 4, 5), (1, 8, 9, 11)), 3)
    np.testing.assert_array_equal(found, [[2, 4, 5, 7], [4, 5, 5, 5], [9, 10, 11, 11]])


def test_each_step_is_ranked_by_its_own_scores():
    ahead = [[[9, 1, 2, 5, 4, 3], [9, 5, 4, 1, 2, 3], [9, 5, 4, 1, 2, 3]]]
    found = evaluate_multi_step(Given(ahead), BASKETS, queries((0, 0, 2, 8)), settings().evaluation, 3, (1, 3))
    np.testing.assert_allclose(found["hr@1"], [[1, 0, 1]])  # items 3; 4; 1 and 2
    np.testing.assert_allclose(found["recall@3"], [[1, 0, 1]])
    np.testing.assert_allclose(found["recall@1"], [[1, 0, 0.5]])
    # Without chances of coming within h steps, the step's own scores rank those: 3; 3 and 4; 1, 2, 3 and 4.
    np.testing.assert_allclose(found["within_recall@1"], [[1, 0, 0.25]])


def test_chances_of_coming_within_steps_rank_what_comes_within_them():
    p = np.full((1, 3, 6), 0.01)
    p[0, :, 4] = 0.6
    within = np.zeros((1, 3, 6))
    within[0, :, 3] = 1
    told = Given(np.log(p), within, log_probabilities=True)
    found = evaluate_multi_step(told, BASKETS, queries((0, 0, 2, 8)), settings().evaluation, 3, (1,))
    np.testing.assert_allclose(found["within_hr@1"], [[1, 1, 1]])
    np.testing.assert_allclose(found["hr@1"], [[0, 1, 0]])


def test_surprise_is_of_the_candidates_distribution_and_missing_steps_do_not_count():
    p = np.tile(np.array([0.3, 0.1, 0.1, 0.1, 0.3, 0.4]), (1, 2, 1))
    one = Given(np.log(p), log_probabilities=True)
    found = evaluate_multi_step(one, BASKETS, queries((1, 8, 10, 11)), settings().evaluation, 2, (1,))
    np.testing.assert_allclose(found["log_loss"], [[-np.log(0.3), np.nan]], rtol=1e-6)
    assert np.isnan(found["within_hr@1"][0, 1])
    filtered = evaluate_multi_step(one, BASKETS, queries((1, 8, 10, 11)), settings("filter").evaluation, 2, (1,))
    np.testing.assert_allclose(filtered["log_loss"][0, 0], -np.log(0.3 / 0.8), rtol=1e-6)


def chain_log():
    """1 -> 2 -> 3 -> 1 always, over the training part of each history; nothing ever follows 4."""
    return make_histories([[1, 2, 3] * 5, [2, 3, 1] * 5, [3, 1, 2] * 4 + [1, 2, 4]], num_items=4)


def of(histories, steps=2):
    config = settings()
    config.split.kind, config.split.steps = "leave_last", steps
    return *split(histories, config.split), config


def test_a_chain_is_left_to_run():
    histories, parts, _config = of(chain_log(), 4)
    found = Chain(Markov().fit(histories, parts), 4).scores(queries((0, 0, 3, 5)))
    np.testing.assert_array_equal(found[0].argmax(-1), [1, 2, 3, 1])
    np.testing.assert_allclose(found[0].max(-1), 1)
    assert (found[0][0, 2:] < 0).all(), "what cannot come is ordered by popularity, below"


def test_where_the_chain_ends_popularity_follows():
    histories, parts, _config = of(chain_log())
    found = Chain(Markov().fit(histories, parts), 1).scores(queries((2, 30, 45, 45)))
    np.testing.assert_allclose(found[0, 0, 1:4], 1 / 3, atol=0.03)


def test_other_floors_expect_the_same_at_each_step():
    histories, parts, _ = of(chain_log())
    floor = PersonalFrequency("personal_frequency", 1.0).fit(histories, parts)
    found = Steady(floor, 3).scores(queries((0, 0, 4, 6)))
    np.testing.assert_array_equal(found[:, 0], found[:, 2])
    np.testing.assert_array_equal(found[:, 0], floor.scores(queries((0, 0, 4, 6))))


def test_calibrated_floors_are_distributions_that_trust_a_floor_as_far_as_it_holds():
    rng = np.random.default_rng(0)
    steady = make_histories([[int(i)] * 15 for i in rng.integers(1, 7, 60)], num_items=6)
    loose = make_histories([rng.integers(1, 7, 15).tolist() for _ in range(60)], num_items=6)
    shares = []
    for histories in (steady, loose):
        histories, parts, config = of(histories)
        floor = Steady(PersonalFrequency("personal_frequency", 1.0).fit(histories, parts), 2)
        fitted = Calibrated(floor).fit(histories, parts.validation, config.evaluation)
        p = np.exp(fitted.forecast(parts.test).log_probability)
        np.testing.assert_allclose(p.sum(-1), 1)
        assert (p[..., 1:] > 0).all()
        assert (p[..., 0] == 0).all()
        shares.append(fitted.share)
    assert shares[0].min() > 0.99
    assert shares[1].max() < 0.35


def test_calibrated_floors_leave_out_what_cannot_come():
    histories, parts, config = of(make_histories([[1, 2, 3, 4, 5], [3, 4, 5, 6, 1], [6, 5, 4, 3, 2]], num_items=6), 1)
    config.evaluation.seen = "filter"
    for floor in multi_step_baselines(histories, parts, config, 1):
        fitted = Calibrated(floor).fit(histories, parts.validation, config.evaluation)
        p = np.exp(fitted.forecast(parts.test).log_probability)[:, 0]
        np.testing.assert_allclose(p.sum(-1), 1)
        for row, user in enumerate(parts.test.user):
            seen = histories.item[parts.test.start[user] : parts.test.stop[user]]
            assert p[row, seen].sum() == pytest.approx(0)


def test_a_repeated_target_is_a_miss_without_a_surprise_where_seen_items_leave():
    p = np.tile(np.array([0.0, 0.2, 0.2, 0.3, 0.2, 0.1]), (1, 2, 1))
    forecaster = Given(np.log(np.maximum(p, 1e-30)), log_probabilities=True)
    one = queries((0, 0, 4, 6))  # 1, 2, 3, 3, then 4, then 1 again
    found = evaluate_multi_step(forecaster, BASKETS, one, settings("filter").evaluation, 2, (1,))
    np.testing.assert_allclose(found["hr@1"], [[1, 0]])
    np.testing.assert_allclose(found["log_loss"], [[-np.log(2 / 3), np.nan]], rtol=1e-6)
    kept = evaluate_multi_step(forecaster, BASKETS, one, settings().evaluation, 2, (1, 5))
    np.testing.assert_allclose(kept["hr@5"], [[1, 1]])
