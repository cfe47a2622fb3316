"""Lists against what came, worked by hand, by a relevance that is made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.builders import fake_run, make_histories
from trajectory.insights.recommend import evaluate
from trajectory.insights.recommend.baselines import counting_baselines, order_of
from trajectory.insights.recommend.evaluate import chosen_share, compare_lists, found_more
from trajectory.insights.recommend.lists import MOST_LIKELY, NEW, suggest
from trajectory.insights.recommend.new_buyers import FirstPurchases, first_purchases
from trajectory.insights.recommend.relevance import RelevanceReading, limited_to_steps, log_share, owned_items
from trajectory.insights.recommend.tables import recommend
from trajectory.schema import EVENT_TYPES, Queries, Split
from trajectory.settings import base

ITEMS = 30
AS_SAID = FirstPurchases(np.zeros(ITEMS + 1, np.int64), np.ones(ITEMS + 1))


class MadeUp:
    """Says of every user: item 1 is most likely, then 2, and so on to the last."""

    name, batch, steps, filter_seen, neighbours = "trajectory", 2, 2, False, None
    fits = (False, True)
    days, steps_had = 13, 1.6

    def __init__(self, histories):
        self.histories = histories

    def read(self, queries):
        chance = 0.5 ** np.arange(ITEMS + 1.0)
        by_step = np.tile(chance / chance.sum() / 2, (len(queries.user), self.steps, 1)).astype(np.float32)
        return RelevanceReading(np.tile(-np.arange(ITEMS + 1.0) / 10, (len(queries.user), 1)), by_step)


@pytest.fixture
def histories():
    """Three users with two baskets of the past and three of the future, of which two are asked for."""
    items = [[1, 20, 2, 5, 20, 6], [3, 4, 12, 12, 3, 7], [8, 9, 25, 9, 8, 1]]
    return make_histories(items, steps=[[0, 0, 1, 2, 3, 4]] * 3, num_items=ITEMS)


def queries_of(histories):
    user = np.arange(3)
    return Queries(user, histories.offsets[:-1], histories.offsets[:-1] + 3, histories.offsets[1:])


def run_of(histories):
    asked = queries_of(histories)
    config = base("gru")
    config.evaluation.seen, config.evaluation.bootstrap = "keep", 20
    split = Split("temporal", asked.stop, asked, asked, "made up")
    return fake_run(histories=histories, split=split, config=config)


def test_no_more_than_the_next_steps_are_asked_for(histories):
    assert (limited_to_steps(histories, queries_of(histories), 2).end - histories.offsets[:-1]).tolist() == [5, 5, 5]


def test_what_a_slice_of_events_has(histories):
    asked = queries_of(histories)
    found = owned_items(histories, asked.start, asked.stop)
    assert [np.flatnonzero(row).tolist() for row in found] == [[1, 2, 20], [3, 4, 12], [8, 9, 25]]


def test_log_shares_are_of_what_is_positive():
    found = log_share(np.array([[9.0, 3.0, 1.0, -5.0]], np.float32))
    np.testing.assert_allclose(np.exp(found), [[0.025, 0.775, 0.275, 0.025]], rtol=1e-6)


def test_relevance_over_the_steps_of_all_items_of_those_had_before_and_of_new_ones(histories):
    found = compare_lists(run_of(histories), MadeUp(histories), "test")
    row = found["rows"]["trajectory"]
    # Asked: {5, 20}, {12, 3}, {9, 8}; in the first ten of all: 5; 3; 9 and 8.
    assert row["all"]["recall"] == pytest.approx((0.5 + 0.5 + 1) / 3)
    # Had before: {20}; {12, 3}; {9, 8}, and lists of three such items hold them all.
    assert row["again"]["recall"] == 1
    assert row["again"]["users"] == 3
    # New: 5 alone, the third of the first user's new items (3, 4, 5, ...).
    assert (row["new"]["recall"], row["new"]["users"]) == (1, 1)
    assert row["new"]["ndcg"] == pytest.approx(1 / np.log2(4))
    assert row["coverage"] == pytest.approx(10 / ITEMS)
    # Rivals are the other lists, not the forecast that is part of ours.
    assert {test["rival"] for of in found["paired"].values() for test in of.values()} <= set(found["rows"]) - {
        "trajectory",
        "forecast alone",
    }


def test_who_was_asked_for_how_many_steps_is_counted(histories):
    asked = queries_of(histories)
    fewer = asked._replace(end=asked.end - np.array([0, 2, 2]))  # of two users a step is all that was kept back
    run = run_of(histories)
    run.experiment.split = Split("temporal", asked.stop, fewer, fewer, "made up")
    found = compare_lists(run, MadeUp(histories), "test")
    assert (found["steps"], found["users_of_most"], found["users"]) == (2, 1, 3)
    assert found["steps_mean"] == pytest.approx(4 / 3)


def test_lists_that_found_more_beyond_chance_are_given_instead(histories):
    test = {"rival": "next item", "low": -0.3, "high": -0.1, "p_value": 0.01}
    assert found_more({"paired": {"all": {"recall@10": test}}}) == "next item"
    assert found_more({"paired": {"all": {"recall@10": test | {"high": 0.1}}}}) == ""
    assert found_more({"paired": {"all": {"recall@10": test | {"p_value": 0.2}}}}) == ""
    relevance = MadeUp(histories)
    by_count = order_of("popularity", run_of(histories), relevance)
    lists = recommend(relevance, queries_of(histories), 0.0, AS_SAID, order=by_count).lists
    popular = next(row for row in counting_baselines(run_of(histories), relevance) if row.name == "popularity")
    first = lists.filter(list=MOST_LIKELY, rank=1)["item"].to_list()
    best = np.asarray(popular.scores(queries_of(histories)))[:, 1:].argmax(1)
    assert first == [f"i{item + 1}" for item in best]
    assert lists["probability"].null_count() == lists.height
    assert order_of("", run_of(histories), relevance) is None


def test_where_nothing_comes_again_only_new_items_are_candidates(histories):
    relevance = MadeUp(histories)
    relevance.filter_seen = True
    row = compare_lists(run_of(histories), relevance, "test")["rows"]["trajectory"]
    assert set(row) == {"all", "coverage", "novelty", "diversity"}
    assert row["all"]["recall"] == pytest.approx(0.5 / 3)  # of the first user's 5 and 20 the new one


def test_the_mix_that_is_wanted_is_of_what_may_be_shown(histories):
    scores, expected = np.full((1, ITEMS + 1), -9.0), np.zeros((1, ITEMS + 1))
    scores[0, [1, 4, 2]] = 2.0, 1.9, 0.5  # interests 1, 1, 2
    expected[0, [7, 2]] = 0.9, 0.1  # item 7, of interest 1, is not sold
    keep = np.isin(np.arange(ITEMS + 1), [1, 4, 2])
    one = Queries(*(column[:1] for column in queries_of(histories)))
    assert suggest(MadeUp(histories), one, scores, expected, 0.9, keep)[0, :3].tolist() == [2, 1, 4]


def test_the_largest_share_that_costs_little_is_taken():
    points = [(0.0, 0.5), (0.1, 0.499), (0.2, 0.4951), (0.3, 0.4949), (0.4, 0.3)]
    curve = [{"share": share, "ndcg": ndcg} for share, ndcg in points]
    assert evaluate.GIVEN_UP == 0.01
    assert chosen_share(curve) == 0.2


def test_lists_of_users_hold_the_likeliest_and_new_items(histories):
    table = recommend(MadeUp(histories), queries_of(histories), 0.0, AS_SAID).lists
    first = table.filter(user="u1")
    assert first.filter(list=MOST_LIKELY)["item"].to_list() == [f"i{i}" for i in range(1, 11)]
    assert first.filter(list=MOST_LIKELY)["again"].to_list() == [i in (3, 4) for i in range(1, 11)]
    assert first.filter(list=NEW)["item"].to_list() == [f"i{i}" for i in (1, 2, 5, 6, 7, 8, 9, 10, 11, 13)]
    assert first["probability"][0] == pytest.approx(1 / (1 + np.exp(0.1)))
    keep = np.arange(ITEMS + 1) == 4
    assert recommend(MadeUp(histories), queries_of(histories), 0.0, AS_SAID, keep).lists["item"].unique().to_list() == [
        "i4"
    ]


def test_new_buyers_are_the_chances_of_those_who_have_not_had_an_item(histories):
    table = recommend(MadeUp(histories), queries_of(histories), 0.0, AS_SAID).new_buyers
    chance = 1 / (1 + np.exp(np.arange(ITEMS + 1) / 10))
    found = {item: (expected, users) for item, expected, users in table.select("item", "expected", "users").iter_rows()}
    assert found["i3"] == (pytest.approx(2 * chance[3]), 2)
    assert found["i5"] == (pytest.approx(3 * chance[5]), 3)
    assert table["expected"].is_sorted(descending=True)


def test_new_buyers_are_those_who_never_bought(histories):
    """Item 1 was looked at by the first user and is bought by one event in two."""
    h = replace(histories, event_type=np.where(np.arange(18) % 6 < 3, 1, 2).astype(np.int8), roles=EVENT_TYPES)
    found = recommend(MadeUp(h), queries_of(h), 0.0, AS_SAID).new_buyers
    rows = {row["item"]: row for row in found.to_dicts()}
    assert rows["i1"]["users"] == 3  # the last one buys it after the query
    chance = 3 / (1 + np.exp(0.1))
    assert rows["i1"]["expected"] == pytest.approx(chance * (1 + 5 * 0.5) / (2 + 5))
    relevance = MadeUp(h)
    relevance.fits = (False,)  # of items that a user has had no chance is known: the first is not counted
    rows = {row["item"]: row for row in recommend(relevance, queries_of(h), 0.0, AS_SAID).new_buyers.to_dicts()}
    assert (rows["i1"]["users"], rows["i5"]["users"]) == (2, 3)
    whole = {
        row["item"]: row
        for row in recommend(MadeUp(histories), queries_of(histories), 0.0, AS_SAID).new_buyers.to_dicts()
    }
    assert (whole["i1"]["users"], whole["i1"]["expected"]) == (2, pytest.approx(chance * 2 / 3))


def test_new_buyers_are_as_many_as_bought_for_the_first_time_in_the_window(histories):
    """Half of all events are sales, but of the windows' only the first, of which one is of a new item."""
    sale = np.tile([0, 1, 1, 1, 0, 0], 3)
    h = replace(histories, event_type=np.where(sale, 2, 1).astype(np.int8), roles=EVENT_TYPES)
    queries = queries_of(h)
    lists = h.item.reshape(3, 6).tolist()
    first = sum(items[3] not in items[1:3] for items in lists)
    lately = first_purchases(MadeUp(h), [queries])
    found = recommend(MadeUp(h), queries, 0.0, lately).new_buyers
    assert found["expected"].sum() == pytest.approx(first, abs=0.5), "half a one is added, so that none is no 0"
    assert found["lately"].sum() == lately.observed.sum() == first
