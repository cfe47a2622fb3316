import numpy as np
import pytest

from trajectory.insights.demand.reorder import replay


def test_an_order_comes_a_week_later_and_what_is_not_in_stock_is_lost():
    demand, up_to = np.array([[6.0], [7], [5]]), np.full((3, 1), 10.0)
    found = replay(demand, up_to)
    # Week 0: 10 in stock, 6 sold. Week 1: 4 in stock, 6 ordered; 4 of 7 sold. Week 2: 6 in stock, 4 ordered; 5 sold.
    np.testing.assert_array_equal(found.lost, [[0], [3], [0]])
    np.testing.assert_array_equal(found.left, [[4], [0], [1]])
    np.testing.assert_array_equal(found.position, [1 + 4])
    summary = found.summary()
    assert summary == pytest.approx({"demand_lost": 3 / 18, "weeks_out_of_stock": 1 / 3, "stock_left_weeks": 5 / 18})


def test_more_than_needed_is_never_sent_back():
    found = replay(np.ones((3, 1)), np.array([[10.0], [2], [2]]))
    np.testing.assert_array_equal(found.left.ravel(), [9, 8, 7])
