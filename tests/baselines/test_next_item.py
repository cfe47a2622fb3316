from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import make_histories
from trajectory.baselines.next_item import (
    ContentNeighbours,
    CoOccurrence,
    InterestFrequency,
    Markov,
    PersonalFrequency,
    Popularity,
    RecentPopularity,
    baselines,
    basket_size,
)
from trajectory.schema import Histories, ItemContent, Queries, Split
from trajectory.settings import base

DAY = 86_400


def hold_out(h: Histories) -> Split:
    """The last step tests, the one before validates."""
    owner = np.repeat(np.arange(h.num_users), np.diff(h.offsets))
    last = h.step[h.offsets[1:] - 1][owner]
    start, end = h.offsets[:-1], h.offsets[1:]
    test = end - np.bincount(owner, h.step == last).astype(np.int64)
    validation = test - np.bincount(owner, h.step == last - 1).astype(np.int64)
    user = np.arange(h.num_users)
    return Split(
        "leave_one_out",
        validation,
        Queries(user, start, validation, test),
        Queries(user, start, test, end),
        "by hand",
    )


# Training: [1, 2, 3], [2, 3, 1], [2, 3, 4]. Popularity of 1..5: 2, 3, 3, 1, 0.
LOG = make_histories([[1, 2, 3, 4, 5], [2, 3, 1, 5, 4], [2, 3, 4, 1, 2]], num_items=5, gap=DAY)
# Training of user 0: {1, 2, 2}, {1, 3}; of user 1: {3}, {2, 1}.
BASKETS = make_histories(
    [[1, 2, 2, 1, 3, 2, 1], [3, 2, 1, 1, 4]],
    steps=[[0, 0, 0, 1, 1, 2, 3], [0, 1, 1, 2, 3]],
    num_items=4,
)


def first(baseline: Any, h: Histories, part: str) -> np.ndarray:
    """Scores of the first query."""
    split = hold_out(h)
    return baseline.fit(h, split).scores(split.queries(part))[0]


def order(scores: np.ndarray) -> list[int]:
    """Items by falling score."""
    return (np.argsort(-scores[1:], kind="stable") + 1).tolist()


@pytest.mark.parametrize("part", ["validation", "test"])
def test_popularity(part: str) -> None:
    assert first(Popularity(), LOG, part).tolist() == [0, 2, 3, 3, 1, 0]
    assert first(Popularity(), BASKETS, part).tolist() == [0, 3, 2, 2, 0]  # twice in one basket counts once


def test_recent_popularity_with_times() -> None:
    # Training ends on day 2; the last two days hold 2, 3 of user 0, 3, 1 of user 1 and 3, 4 of user 2.
    assert first(RecentPopularity(2), LOG, "test").tolist() == [0, 1, 1, 3, 1, 0]
    assert first(RecentPopularity(1), LOG, "test").tolist() == [0, 1, 0, 1, 1, 0]


def test_recent_popularity_without_times_takes_the_last_tenth_of_each_history() -> None:
    h = make_histories([[*range(1, 12), 9, 9], [5, 6, 7, 8]], num_items=11)
    h = dataclasses.replace(h, has_time=False, time=np.zeros_like(h.time))
    # 11 training events: the last 2 (10, 11); 2 training events: the last 1 (6).
    assert np.flatnonzero(first(RecentPopularity(28), h, "test")).tolist() == [6, 10, 11]


def test_markov() -> None:
    scores = first(Markov(), LOG, "validation")  # after 3: 1 and 4, once each
    assert scores[[1, 4]] == pytest.approx([1, 1])
    assert order(scores) == [1, 4, 2, 3, 5]  # ties and the rest by popularity
    assert scores[2] == scores[3] < 0
    assert order(first(Markov(), LOG, "test")) == [2, 3, 1, 4, 5]  # nothing follows 4
    scores = first(Markov(), BASKETS, "validation")
    # {1, 2} -> {1, 3} and {3} -> {2, 1}, asked after {1, 3}: 1 and 3 follow 1, 2 and 1 follow 3.
    assert scores[1:4] == pytest.approx([2, 1, 1])
    assert scores[4] < 0


def test_co_occurrence() -> None:
    scores = first(CoOccurrence(), LOG, "validation")  # after 1, 2, 3
    want = [
        (1.25 + 0.8 * 1.0) / np.sqrt(3),  # c31 + 0.8 c21
        (1.5 + 0.64 * 1.25) / np.sqrt(4),  # c32 + 0.64 c12
        (0.8 * 3 + 0.64 * 1.0) / np.sqrt(4),  # 0.8 c23 + 0.64 c13
        (1 + 0.8 * 0.5) / np.sqrt(2),  # c34 + 0.8 c24
    ]
    assert scores[1:5] == pytest.approx(want, rel=1e-8)
    assert scores[5] == -1


def test_co_occurrence_of_baskets() -> None:
    scores = first(CoOccurrence(), BASKETS, "validation")  # after {1, 2} (age 1), {1, 3} (age 0)
    # User 0: in {1, 2}: 12, 21 += 3/4; to {1, 3}: 11 += 3/2; 13, 21, 23 += 1; 31, 12, 32 += 1/2;
    # in {1, 3}: 13, 31 += 3/4.
    # User 1: 32, 31 += 1; 23, 13 += 1/2; in {2, 1}: 21, 12 += 3/4.
    c = {
        11: 1.5,
        12: 0.75 + 0.5 + 0.75,
        13: 1 + 0.75 + 0.5,
        21: 0.75 + 1 + 0.75,
        23: 1 + 0.5,
        31: 0.5 + 0.75 + 1,
        32: 1.5,
    }
    want = [
        (1.8 * c[11] + c[31] + 0.8 * c[21]) / np.sqrt(4),
        (1.8 * c[12] + c[32]) / np.sqrt(3),
        (1.8 * c[13] + 0.8 * c[23]) / np.sqrt(3),
    ]
    assert scores[1:4] == pytest.approx(want, rel=1e-8)


def test_co_occurrence_reads_20_events_and_pairs_100_apart() -> None:
    h = make_histories([[1, *[2] * 99, 3, 4, 4, 4], [1, *[5] * 20, 6, 6], [1, *[5] * 19, 6, 6]], num_items=6)
    split = hold_out(h)
    baseline = CoOccurrence().fit(h, split)
    pairs = baseline.pairs.toarray()
    assert pairs[1, 3] == pytest.approx(0.01 / np.sqrt(2))
    assert pairs[1, 4] == 0  # 101 apart
    scores = baseline.scores(split.validation)
    assert scores[1, 2] < 0 < scores[2, 2]  # item 1, which goes with 2, is the 21st or the 20th event back


@pytest.mark.parametrize(
    ("decay", "want"),
    [(1.0, [2, 1, 1]), (0.5, [1.5, 0.5, 1]), (0.0, [1, None, 1])],
)
def test_personal_frequency_decay_and_last_step(decay: float, want: list[float | None]) -> None:
    scores = first(PersonalFrequency("x", decay), BASKETS, "validation")  # {1, 2, 2}, {1, 3}
    for item, value in enumerate(want, 1):
        assert scores[item] == pytest.approx(value) if value is not None else scores[item] < 0
    assert scores[4] == -1
    tied = make_histories([[1, 2, 3, 3], [2, 1, 4], [2, 1, 4]], num_items=4)
    assert order(first(PersonalFrequency("x", 1.0), tied, "validation"))[:2] == [2, 1]  # by popularity


def test_interest_baselines() -> None:
    # Interests of items 1..4: 1, 2, 3, 1.
    h = make_histories([[2, 2, 1, 3, 3], [1, 1, 1, 4, 2]], num_items=4)
    split = hold_out(h)
    query = split.test  # histories 2, 2, 1, 3 and 1, 1, 1, 4

    def best(baseline: InterestFrequency) -> list[int]:  # from 0
        return baseline.fit(h, split).interest_scores(query)[:, 1:].argmax(axis=1).tolist()

    assert best(InterestFrequency("x", personal=False)) == [0, 0]
    assert best(InterestFrequency("x", 1.0)) == [1, 0]
    assert best(InterestFrequency("x", 0.0)) == [2, 0]
    assert InterestFrequency("x").fit(h, split).scores(query) is None
    assert Markov().fit(h, split).interest_scores(query) is None


def test_cold_and_unknown_items_are_passed_over() -> None:
    h = make_histories([[1, 0, 2, 5, 1, 1], [1, 2, 5, 2]], num_items=5)
    h = dataclasses.replace(h, num_items=4)
    c = base()
    c.evaluation.seen = "keep"
    split = hold_out(h)
    for baseline in baselines(h, split, c):
        scores = baseline.scores(split.test)
        assert scores is None or (scores.shape == (2, 5) and np.isfinite(scores).all())
    assert first(Popularity(), h, "test").tolist() == [0, 2, 2, 0, 0]


def test_content_neighbours() -> None:
    h = make_histories([[1, 2, 3, 1, 1], [3, 3, 4, 1, 1]], num_items=5)
    text = np.array([[0, 0], [1, 0], [1, 0.1], [0, 1], [0.1, 1], [0, 0]], np.float32)
    content = ItemContent({"text": text}, {}, np.zeros((6, 0), np.float32))
    baseline = ContentNeighbours(content).fit(h, hold_out(h))
    asked = hold_out(h).validation
    scores = baseline.scores(asked)
    vectors = text[1:5] / np.linalg.norm(text[1:5], axis=1, keepdims=True)
    mean = 0.8**2 * vectors[0] + 0.8 * vectors[1] + vectors[2]  # of 1, 2, 3, the newest counting most
    np.testing.assert_allclose(scores[0, 1:5], vectors @ mean / np.linalg.norm(mean), atol=1e-5)
    assert scores[:, 5].max() < scores[:, 1:5].min(), "of item 5 nothing is known"
    assert [f.name for f in baselines(h, hold_out(h), base(), content)][-1] == "content_neighbours"


def test_the_baselines_that_mean_something() -> None:
    c = base()
    split = hold_out(LOG)
    always = ["popularity", "recent_popularity", "markov", "co_occurrence"]
    own = ["personal_frequency", "decayed_personal_frequency", "last_item"]
    interests = ["interest_popularity", "personal_interest_frequency", "last_interest"]
    assert [f.name for f in baselines(LOG, split, c)] == always + interests
    c.evaluation.seen = "keep"
    assert [f.name for f in baselines(LOG, split, c)] == always + own + interests
    c.evaluation.decay = 0.25
    assert baselines(LOG, split, c)[5].decay == 0.25
    assert [f.name for f in baselines(dataclasses.replace(LOG, interests=()), split, c)] == always + own


def test_baselines_on_a_log_without_training_events() -> None:
    split = dataclasses.replace(hold_out(LOG), train_end=LOG.offsets[:-1])
    c = base()
    c.evaluation.seen = "keep"
    for baseline in baselines(LOG, split, c):
        scores = baseline.scores(split.test)
        assert scores is None or np.isfinite(scores).all()


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("has_time", [True, False])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_no_baseline_sees_what_it_is_asked_for(part: str, has_time: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists, steps = [], []
    for _ in range(6):
        step = np.cumsum(rng.integers(0, 2, rng.integers(6, 12)))
        step = np.concatenate([step - step[0], step[-1] - step[0] + 1 + np.arange(3)])
        steps.append(step.tolist())
        lists.append(rng.integers(1, 9, len(step)).tolist())
    h = dataclasses.replace(make_histories(lists, steps=steps, num_items=8, gap=DAY), has_time=has_time)
    split = hold_out(h)
    queries = split.queries(part)
    hidden = np.zeros(h.num_events, bool)
    for stop, end in zip(queries.stop, h.offsets[1:], strict=True):
        hidden[stop:end] = True
    other = dataclasses.replace(
        h,
        item=np.where(hidden, rng.integers(1, 9, h.num_events), h.item).astype(np.int32),
        time=np.where(hidden, h.time + rng.integers(0, 100 * DAY, h.num_events), h.time),
    )
    c = base()
    c.evaluation.seen = "keep"
    for baseline, changed in zip(baselines(h, split, c), baselines(other, split, c), strict=True):
        for ask in ("scores", "interest_scores"):
            before, after = getattr(baseline, ask)(queries), getattr(changed, ask)(queries)
            if before is not None:
                np.testing.assert_array_equal(before, after, f"{baseline.name} {ask}")
    if part == "test":  # what was learnt does not even know the validation step
        for baseline, changed in zip(
            baselines(h, split, c), baselines(_shuffled_validation(h, split, rng), split, c), strict=True
        ):
            np.testing.assert_array_equal(baseline.popularity, changed.popularity, baseline.name)


def _shuffled_validation(h: Histories, split: Split, rng: np.random.Generator) -> Histories:
    item, time = h.item.copy(), h.time.copy()
    for start, stop in zip(split.validation.stop, h.offsets[1:], strict=True):
        item[start:stop] = rng.integers(1, 9, stop - start)
        time[start:stop] += 1000 * DAY
    return dataclasses.replace(h, item=item, time=time)


def test_basket_size_counts_distinct_items_of_the_history():
    histories = make_histories([[1, 1, 2, 3, 3], [2, 2]], steps=[[0, 0, 0, 1, 2], [0, 1]], num_items=3)
    queries = Queries(*np.array([[0, 0, 1], [0, 0, 5], [3, 5, 7], [4, 5, 7]]))
    np.testing.assert_allclose(basket_size(histories, queries), [2, 4 / 3, 1])
