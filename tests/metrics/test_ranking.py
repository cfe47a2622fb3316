from __future__ import annotations

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, top_k_accuracy_score

from tests.builders import make_histories, random_histories
from trajectory.data.store.union import item_and_user_domains, union
from trajectory.metrics.ranking import (
    distinct_items,
    evaluate_scorer,
    interest_accuracy,
    metrics,
    of_own_domain,
    ranks,
    top_k,
)
from trajectory.protocols import Scores
from trajectory.schema import Histories, Queries
from trajectory.settings import base

INF = np.inf
ITEMS = [9.0, 4.0, 3.0, 2.0, 1.0, 3.0]  # column 0 (best, never a candidate), then items 1..5


def row(values: list[float], dtype: Any = np.float32) -> np.ndarray:
    return np.array([values], dtype)


@pytest.mark.parametrize(
    ("target", "seen", "rank"),
    [
        (1, [], 1),
        (2, [], 2.5),  # items 2 and 5 share ranks 2 and 3
        (5, [], 2.5),
        (3, [], 4),
        (4, [], 5),
        (4, [1, 2], 3),
        (2, [5], 2),  # the item it was tied with is gone
        (2, [1, 2], INF),  # a seen target is in no list
        (4, [1, 1, 1, 0], 4),  # repetitions and padding count once and never
        (4, [6, 1, 9], 4),  # cold items were no candidates
        (6, [], INF),  # cold
        (0, [], INF),
    ],
)
@pytest.mark.parametrize("array", [np.asarray, jnp.asarray])
def test_rank_by_hand(target: int, seen: list[int], rank: float, array: Any) -> None:
    got = ranks(array(row(ITEMS)), array([[target]]), array([seen or [0]]))
    assert got.dtype == np.float32
    assert got.tolist() == [[rank]]


def test_all_equal_scores_get_the_middle_rank() -> None:
    assert ranks(np.zeros((1, 6)), np.array([[3]])).tolist() == [[3]]
    assert ranks(np.zeros((1, 6)), np.array([[3]]), np.array([[1, 2]])).tolist() == [[2]]


def test_what_cannot_come_is_in_no_list() -> None:
    scores = row([9.0, 4.0, -INF, 2.0])
    assert ranks(scores, np.array([[1, 2, 3]])).tolist() == [[1, INF, 2]]
    assert top_k(scores, k=3)[0].tolist() == [[1, 3, 0]]


def test_several_targets_are_ranked_together_without_the_seen_ones() -> None:
    assert ranks(row(ITEMS), np.array([[1, 4, 6, 0]]), np.array([[1, 2]])).tolist() == [[INF, 3, INF, INF]]


def test_close_float64_scores_are_no_tie() -> None:
    scores = row([0, 1, 1 + 1e-12, 1 - 1e-12], np.float64)
    assert ranks(scores, np.array([[1, 2, 3]])).tolist() == [[2, 1, 3]]
    assert ranks(scores.astype(np.float32), np.array([[1, 2, 3]])).tolist() == [[2, 2, 2]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_scores_are_refused(dtype: Any) -> None:
    for column in (1, 5):
        scores = row(ITEMS, dtype)
        scores[0, column] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            ranks(scores, np.array([[2]]), np.array([[column]]))
        with pytest.raises(ValueError, match="NaN"):
            top_k(scores, None, 2)
    scores = row(ITEMS, dtype)
    scores[0, 0] = np.nan  # column 0 is nobody's score
    assert ranks(scores, np.array([[1]])).tolist() == [[1]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_targets_have_the_ranks_of_few(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(5, 60)).round(1).astype(dtype)  # many ties
    scores[:, :2], scores[2, 7:40] = 9, -np.inf
    targets = rng.integers(0, 70, (5, 64))  # some are none, some cold, some twice
    few = [ranks(scores, targets[:, at : at + 8]) for at in range(0, 64, 8)]
    np.testing.assert_array_equal(ranks(scores, targets), np.concatenate(few, axis=1))
    scores[4, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ranks(scores, targets)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_ranks_are_the_mean_over_all_orders_of_ties(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n, items, wide = 4, 12, 3
    scores = rng.integers(0, 4, (n, items + 1)).astype(np.float32)
    targets = rng.integers(0, items + 2, (n, wide)).astype(np.int32)
    seen = rng.integers(0, items + 1, (n, 5)).astype(np.int32)
    got = ranks(scores, targets, seen)
    for i in range(n):
        allowed = [c for c in range(1, items + 1) if c not in seen[i]]
        for j, target in enumerate(targets[i]):
            if target not in allowed:
                assert got[i, j] == INF
                continue
            greater = sum(scores[i, c] > scores[i, target] for c in allowed)
            equal = sum(scores[i, c] == scores[i, target] for c in allowed if c != target)
            assert got[i, j] == 1 + greater + equal / 2


LOG = np.log2
METRICS = [  # ranks, targets, cutoff, hr, recall, ndcg, mrr
    ([1], [7], 10, 1, 1, 1, 1),
    ([3], [7], 10, 1, 1, 1 / 2, 1 / 3),
    ([3], [7], 2, 0, 0, 0, 0),
    ([10.5], [7], 10, 0, 0, 0, 0),
    ([INF], [7], 10, 0, 0, 0, 0),
    ([1, 3], [7, 8], 2, 1, 1 / 2, 1 / (1 + 1 / LOG(3)), 1),
    ([1, 3], [7, 8], 10, 1, 1, (1 + 1 / 2) / (1 + 1 / LOG(3)), 1),
    ([4, INF, 0], [7, 8, 0], 5, 1, 1 / 2, (1 / LOG(5)) / (1 + 1 / LOG(3)), 1 / 4),  # one cold target, one empty slot
    ([2, 2, 4], [7, 7, 8], 10, 1, 1, (1 / LOG(3) + 1 / LOG(5)) / (1 + 1 / LOG(3)), 1 / 2),  # 7 counts once
    ([1, 2, 3], [7, 8, 9], 2, 1, 2 / 3, 1, 1),  # more relevant items than places: the ideal is a full list
    ([1.5, 1.5], [7, 8], 1, 0, 0, 0, 0),
]


@pytest.mark.parametrize(("rank", "target", "k", "hr", "recall", "ndcg", "mrr"), METRICS)
def test_metrics_by_hand(
    rank: list[float], target: list[int], k: int, hr: float, recall: float, ndcg: float, mrr: float
) -> None:
    got = metrics(np.array([rank]), np.array([target]), (k,))
    want = {f"hr@{k}": hr, f"recall@{k}": recall, f"ndcg@{k}": ndcg, f"mrr@{k}": mrr}
    assert {name: value.item() for name, value in got.items()} == pytest.approx(want)


def test_without_ties_and_seen_items_metrics_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    scores = rng.permuted(np.tile(np.arange(31.0), (50, 1)), axis=1)
    targets = rng.permuted(np.tile(np.arange(1, 31), (50, 1)), axis=1)[:, :4]
    targets[:25, 1:] = 0  # the first half has one target each
    relevant = (targets[:, :, None] == np.arange(1, 31)).any(axis=1)
    got = metrics(ranks(scores, targets), targets, (1, 5, 10, 30))
    for k in (1, 5, 10, 30):
        each = [ndcg_score(relevant[i : i + 1], scores[i : i + 1, 1:], k=k) for i in range(50)]
        np.testing.assert_allclose(got[f"ndcg@{k}"], each)
        hits = top_k_accuracy_score(targets[:25, 0], scores[:25, 1:], k=k, labels=np.arange(1, 31)) if k < 30 else 1
        assert got[f"hr@{k}"][:25].mean() == got[f"recall@{k}"][:25].mean() == pytest.approx(hits)
    reciprocal = label_ranking_average_precision_score(relevant[:25], scores[:25, 1:])
    assert got["mrr@30"][:25].mean() == pytest.approx(reciprocal)


def test_a_user_without_target_does_not_count() -> None:
    assert all(np.isnan(value).all() for value in metrics(np.array([[INF, INF]]), np.array([[0, 0]]), (1, 10)).values())


def test_top_k_leaves_out_seen_items_and_column_0() -> None:
    items, scores = top_k(row(ITEMS), np.array([[1, 0]]), 3)
    assert items.tolist() == [[2, 5, 3]]
    assert top_k(row(ITEMS), np.array([[1, 6]]), 3)[0].tolist() == [[2, 5, 3]]
    assert scores.tolist() == [[3, 3, 2]]
    items, scores = top_k(row(ITEMS, np.float64), np.array([[1, 2, 3]]), 7)
    assert items.tolist() == [[5, 4, 0, 0, 0, 0, 0]]
    assert scores.tolist() == [[3, 1] + [-INF] * 5]


def test_distinct_items_are_padded_to_few_widths() -> None:
    h = make_histories([[3, 1, 3], [2], [5, 4, 3, 2, 1]])
    start, stop = h.offsets[:-1], h.offsets[1:]
    assert distinct_items(h, start, stop).tolist() == [
        [1, 3, 0, 0, 0, 0, 0, 0],
        [2, 0, 0, 0, 0, 0, 0, 0],
        [1, 2, 3, 4, 5, 0, 0, 0],
    ]
    assert distinct_items(h, start, stop, least=3).shape == (3, 6)
    assert distinct_items(h, start[:1], stop[:1], least=3).shape == (1, 3)
    assert distinct_items(h, start[:1], start[:1]).tolist() == [[0]]


def test_interest_accuracy_shares_the_credit_of_ties() -> None:
    scores = np.array([[9, 1, 2, 0], [0, 1, 1, 0], [0, 1, 1, 1], [0, 3, 2, 1]], np.float32)
    wanted = np.array([[2, 0], [2, 0], [3, 1], [0, 0]])
    np.testing.assert_allclose(interest_accuracy(scores, wanted), [1, 1 / 2, 2 / 3, np.nan])
    with pytest.raises(ValueError, match="NaN"):
        interest_accuracy(np.full((1, 3), np.nan), np.array([[1]]))


class Fixed:
    """Scores looked up by user."""

    name, log_probabilities = "fixed", False

    def __init__(self, scores: Any, interest: Any = None, batch: int | None = None) -> None:
        self.tables, self.batch, self.sizes = (scores, interest), batch, set[int]()

    def score(self, queries: Queries) -> Scores:
        self.sizes.add(len(queries.user))
        return Scores(*(None if table is None else np.asarray(table)[queries.user] for table in self.tables))


def last_step(h: Histories) -> Queries:
    """The last step of each history."""
    user = np.arange(h.num_users)
    end = h.offsets[1:]
    owner = np.repeat(user, np.diff(h.offsets))
    size = np.bincount(owner, h.step == h.step[end - 1][owner]).astype(np.int64)
    return Queries(user, h.offsets[:-1], end - size, end)


def config(**changes: Any) -> Any:
    c = base().evaluation
    c.update(changes)
    return c


def test_evaluate_seen_policy_and_cold_targets() -> None:
    h = make_histories([[1, 2, 3], [3, 1, 1], [2, 1, 4]], num_items=4)
    h = dataclasses.replace(h, num_items=3)  # item 4 is cold
    scorer = Fixed([[0, 3, 2, 1], [0, 1, 2, 3], [0, 3, 2, 1]])
    filtered = evaluate_scorer(scorer, h, last_step(h), config(cutoffs=(1, 2), seen="filter"))
    assert filtered.per_user["mrr@2"].tolist() == [1, 0, 0], "user 1 has had item 1, user 2 is asked for a cold one"
    kept = evaluate_scorer(scorer, h, last_step(h), config(cutoffs=(1, 2), seen="keep"))
    assert kept.per_user["mrr@2"].tolist() == [0, 0, 0]
    assert set(kept.per_user) == {f"{name}@{k}" for name in ("hr", "ndcg", "mrr") for k in (1, 2)}  # no recall
    assert filtered.means()["mrr@2"] == pytest.approx(1 / 3)
    assert kept.overall == {"catalogue_coverage@10": 1}
    with pytest.raises(ValueError, match="filter"):
        evaluate_scorer(scorer, h, last_step(h), config(seen="hide"))
    with pytest.raises(ValueError, match="no user"):
        evaluate_scorer(scorer, h, Queries(*(x[:0] for x in last_step(h))), config())


def test_evaluate_tells_how_well_cold_items_are_found() -> None:
    h = make_histories([[1, 2, 3], [3, 1, 1], [2, 1, 4]], num_items=4)
    cold = np.array([False, False, False, True, True])
    scorer = Fixed([[0, 3, 2, 1, 0], [0, 1, 2, 3, 4], [0, 3, 2, 4, 5]])
    got = evaluate_scorer(scorer, h, last_step(h), config(cutoffs=(1, 2), seen="keep"), cold=cold).per_user
    np.testing.assert_allclose(got["hr@1_cold"], [0, np.nan, 1])  # user 1 was not asked for a cold item
    np.testing.assert_allclose(got["hr@1"], [0, 0, 1])


def test_evaluate_baskets_splits_repeat_and_explore() -> None:
    h = make_histories(
        [[1, 2, 1, 3, 3], [4, 4, 4, 1], [1, 5]],
        steps=[[0, 0, 1, 1, 1], [0, 0, 1, 1], [0, 1]],
    )
    scores = [[0, 5, 4, 1, 3, 2], [0, 5, 4, 3, 2, 1], [0, 5, 4, 3, 2, 1]]
    got = evaluate_scorer(Fixed(scores), h, last_step(h), config(cutoffs=(3,), seen="keep")).per_user
    # Ranks of user 0: item 1 (repeat) 1, item 3 (explore) 5; of user 1: 4 (repeat) 4, 1 (explore) 1; of user 2: 5, 5.
    np.testing.assert_allclose(got["recall@3"], [1 / 2, 1 / 2, 0])
    np.testing.assert_allclose(got["recall@3_repeat"], [1, 0, np.nan])
    np.testing.assert_allclose(got["recall@3_explore"], [0, 1, 0])
    np.testing.assert_allclose(got["ndcg@3"], [1 / (1 + 1 / LOG(3)), 1 / (1 + 1 / LOG(3)), 0])
    np.testing.assert_allclose(got["ndcg@3_repeat"], [1, 0, np.nan])
    cold = dataclasses.replace(h, num_items=3)  # item 4 is asked of user 1 again: a miss among the repeats
    got = evaluate_scorer(
        Fixed(np.array(scores)[:, :4]), cold, last_step(h), config(cutoffs=(3,), seen="keep")
    ).per_user
    np.testing.assert_allclose(got["recall@3_repeat"], [1, 0, np.nan])
    np.testing.assert_allclose(got["recall@3_explore"], [1, 1, 0])


def test_evaluate_gives_each_query_its_own_value_whatever_the_chunks() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, 23)
    lists = [rng.integers(1, 21, n).tolist() for n in lengths]
    steps = [[0] * (n // 2) + [1] * (n - n // 2) for n in lengths]
    h = make_histories(lists, steps=steps, num_items=20)
    scores = rng.normal(size=(23, 21))
    whole = Fixed(scores)
    one = evaluate_scorer(whole, h, last_step(h), config(batch=100))
    parts = Fixed(scores)
    many = evaluate_scorer(parts, h, last_step(h), config(batch=4))
    small = Fixed(scores, batch=4)
    evaluate_scorer(small, h, last_step(h), config(batch=100))
    assert (whole.sizes, parts.sizes, small.sizes) == ({23}, {4}, {4})  # the last chunk is padded
    assert one.overall == many.overall
    for name, value in one.per_user.items():
        np.testing.assert_array_equal(value, many.per_user[name], name)
    queries = last_step(h)
    alone = [
        evaluate_scorer(whole, h, Queries(*(x[i : i + 1] for x in queries)), config()).per_user["ndcg@5"][0]
        for i in (0, 22)
    ]
    np.testing.assert_array_equal(one.per_user["ndcg@5"][[0, 22]], alone)


def test_evaluate_coverage_counts_the_top_10_of_real_queries_only() -> None:
    h = make_histories([[1, 2], [1, 2], [1, 2]], num_items=40)
    scores = np.zeros((3, 41))
    scores[:, 11:21] = 1
    scores[2, 21:31] = 2
    assert evaluate_scorer(Fixed(scores), h, last_step(h), config(batch=2)).overall == {"catalogue_coverage@10": 0.5}
    assert evaluate_scorer(Fixed(scores), h, last_step(h), config(batch=2), coverage=False).overall == {}


def test_evaluate_interests_with_or_without_items() -> None:
    h = make_histories([[1, 2, 3], [1, 1, 2]], num_items=4)  # interests of items 1..4: 1, 2, 3, 1
    scorer = Fixed(None, interest=[[0, 0, 0, 1], [0, 1, 0, 0]])
    assert evaluate_scorer(scorer, h, last_step(h), config()).means() == {"interest_accuracy": 0.5}
    both = Fixed(np.zeros((2, 5)), interest=[[0, 0, 0, 1], [0, 1, 0, 0]])
    assert {"interest_accuracy", "hr@10", "catalogue_coverage@10"} <= set(
        evaluate_scorer(both, h, last_step(h), config()).means()
    )


def test_evaluate_refuses_nan() -> None:
    h = make_histories([[1, 2], [1, 2]])
    with pytest.raises(ValueError, match="NaN"):
        evaluate_scorer(Fixed(np.full((2, 3), np.nan)), h, last_step(h), config())


def test_of_several_domains_only_the_user_s_own_items_are_likely():
    one, other = (dataclasses.replace(random_histories(3, 6, 5, seed=n), name=str(n)) for n in (0, 1))
    both = union([one, dataclasses.replace(other, fingerprint="1")])
    of_item, of_user = item_and_user_domains(both)
    log_p = np.log(np.random.default_rng(0).dirichlet(np.ones(13), 6)).astype(np.float32)
    among_all, within = np.exp(log_p), np.exp(np.asarray(of_own_domain(log_p, of_item, of_user, True)))
    for rows, own in ((slice(0, 3), slice(1, 7)), (slice(3, 6), slice(7, 13))):
        expected = np.zeros_like(among_all[rows])
        expected[:, own] = among_all[rows, own] / among_all[rows, own].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(within[rows], expected, rtol=1e-4)


def test_what_another_domain_has_takes_no_place_from_one_s_own():
    shop = dataclasses.replace(make_histories([[1, 2, 3], [2, 3, 1]], num_items=3), name="shop")
    books = dataclasses.replace(make_histories([[1, 2, 3]], num_items=3), name="books", fingerprint="1")

    # Above all is what is not the user's own, and within a domain the larger number.
    elsewhere = np.where((np.arange(7) > 3) == (np.arange(3)[:, None] > 1), 0.0, 100.0) + np.arange(7) / 7
    both = union([shop, books])
    found = evaluate_scorer(Fixed(elsewhere), both, last_step(both), config(cutoffs=(1, 3), seen="keep"))
    assert found.per_user["mrr@3"].tolist() == [1, pytest.approx(1 / 3), 1]
