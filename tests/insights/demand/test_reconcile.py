import numpy as np
import pytest

from trajectory.insights.demand.reconcile import reconcile
from trajectory.insights.demand.weekly_counts import Weeks
from trajectory.reports.words import Words

ABOVE = {"item": np.array([0, 0, 1, 1, 1]), "interest": np.array([0, 0])}
NAMES = {"item": tuple("abcde"), "interest": ("p", "q"), "department": ("x",)}
NONE = {level: np.zeros((len(names), 1)) for level, names in NAMES.items()}
WEEKS = Weeks(0, NONE, NAMES, ABOVE, NONE, 0.0, Words("lines", "buy", "bought", "buying"))
DIRECT = {"item": np.array([4.0, 8, 1, 2, 3]), "interest": np.array([18.0, 9]), "department": np.array([30.0])}


def test_it_is_minimum_trace_with_variances_in_proportion_to_the_forecasts():
    found = reconcile(WEEKS, DIRECT)
    upper = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    total = np.concatenate([np.eye(5), upper])
    # The variance of a series' own forecast is what those below it have, added up.
    inverse = 1 / (total @ DIRECT["item"])
    said = np.concatenate(list(DIRECT.values()))
    expected = np.linalg.solve((total.T * inverse) @ total, (total.T * inverse) @ said)
    np.testing.assert_allclose(found["item"], expected, rtol=1e-9)


def test_levels_add_up_exactly_and_nothing_is_negative():
    rng = np.random.default_rng(0)
    direct = {level: rng.gamma(1.0, 5.0, (3, 8, len(names))) for level, names in NAMES.items()}
    direct["item"][..., 2:] = 0  # nothing is expected of all that q is made of
    found = reconcile(WEEKS, direct)
    for below, upper in (("item", "interest"), ("interest", "department")):
        sums = [found[below][..., ABOVE[below] == group].sum(-1) for group in range(len(NAMES[upper]))]
        np.testing.assert_allclose(found[upper], np.stack(sums, -1), rtol=1e-12, atol=1e-12)
    assert all((values >= 0).all() for values in found.values())


def test_what_adds_up_already_stays():
    direct = {"item": DIRECT["item"], "interest": np.array([12.0, 6]), "department": np.array([18.0])}
    found = reconcile(WEEKS, direct)
    assert found["item"] == pytest.approx(direct["item"])
