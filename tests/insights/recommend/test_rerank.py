"""Calibrated lists: relevance alone at share 0, the wanted mix where it counts."""

from __future__ import annotations

import numpy as np

from trajectory.insights.recommend.page import order_description
from trajectory.insights.recommend.rerank import calibrated

INTEREST = np.array([0, 1, 1, 1, 2, 2])  # of items 1 to 5
SCORES = np.array([[-9.0, 2.0, 1.9, 1.8, 1.0, 0.9]])
MIX = np.array([[0.0, 0.5, 0.5]])


def test_without_a_mix_lists_are_the_most_relevant_items_in_order():
    assert calibrated(SCORES, MIX, INTEREST, size=3, share=0.0).tolist() == [[1, 2, 3]]


def test_a_list_is_said_to_be_in_the_order_of_chances_only_where_it_is():
    def most_likely_first(share):
        (found,) = calibrated(SCORES, MIX, INTEREST, size=5, share=share)
        return bool((np.diff(SCORES[0, found]) <= 0).all())

    assert most_likely_first(0.0)
    assert order_description(0.0, "the next event").endswith("most likely first.")
    assert not most_likely_first(0.5)
    assert "counts 0.1%: an item" in order_description(0.001, "the next event"), (
        "a share that reorders is not said to be 0%"
    )
    assert "counts 50%: an item may be more likely than one above it" in order_description(0.5, "the next event")


def test_a_wanted_mix_takes_the_best_item_of_each_interest_in_turn():
    assert calibrated(SCORES, MIX, INTEREST, size=4, share=0.5).tolist() == [[1, 4, 2, 5]]


def test_the_mix_counts_by_its_share():
    chance = np.array([0.5, 0.9, 0.88, 0.5])
    scores, interest = np.log(chance / (1 - chance))[None], np.array([0, 1, 1, 2])
    # For the second place item 3 adds 0.5 ln(0.5 / 0.005) - 0.5 ln(0.995 / 0.5) = 1.96 nats more than item 2, which is
    # worth 0.19 more: it is taken from a share of 0.19 / (0.19 + 1.96) = 0.088 on.
    found = [calibrated(scores, MIX, interest, size=2, share=share).tolist() for share in (0.085, 0.092)]
    assert found == [[[1, 2]], [[1, 3]]]


def test_the_mix_is_each_users_own():
    found = calibrated(np.repeat(SCORES, 2, 0), np.array([[0, 1.0, 0], [0, 0, 1.0]]), INTEREST, size=2, share=0.9)
    assert found.tolist() == [[1, 2], [4, 5]]


def test_items_that_may_not_be_shown_leave_empty_slots():
    scores = np.where(np.arange(6) == 2, 0.0, -np.inf)[None]
    assert calibrated(scores, MIX, INTEREST, size=3, share=0.3).tolist() == [[2, 0, 0]]
