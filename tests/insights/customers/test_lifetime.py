"""BG/NBD and Gamma-Gamma find what a simulated shop is made of, and say what the library they follow says."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.insights.customers.lifetime import BgNbd, GammaGamma, Habits, fit_orders, fit_value

R, ALPHA, A, B = 0.6, 20.0, 0.8, 2.5
DAYS = 90


def shop(customers: int = 3000, seed: int = 0) -> tuple[Habits, np.ndarray]:
    """Customers as the model has them, and their orders in the DAYS after."""
    rng = np.random.default_rng(seed)
    rate, leaves, age = rng.gamma(R, 1 / ALPHA, customers), rng.beta(A, B, customers), rng.uniform(100, 365, customers)
    again, recency, later = np.zeros((3, customers))
    for i in range(customers):
        time = rng.exponential(1 / rate[i])
        while time < age[i] + DAYS:
            if time <= age[i]:
                again[i], recency[i] = again[i] + 1, time
            else:
                later[i] += 1
            if rng.random() < leaves[i]:
                break
            time += rng.exponential(1 / rate[i])
    return Habits(again, recency, age), later


def test_a_simulated_shop_is_recovered_and_its_orders_forecast():
    habits, later = shop()
    found = fit_orders(habits)
    assert found is not None
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((R, ALPHA, A, B), rel=0.35)
    expected = found.orders(habits, DAYS)
    assert expected.sum() == pytest.approx(later.sum(), rel=0.1)
    many = expected >= np.quantile(expected, 0.9)
    assert later[many].sum() == pytest.approx(expected[many].sum(), rel=0.15)
    alive = found.alive(habits)
    assert ((alive > 0) & (alive <= 1)).all()
    assert (alive[habits.again == 0] == 1).all()


def test_where_nobody_leaves_orders_go_on_at_the_rate_so_far():
    """Then none of a and b is the likeliest: the made-up rates, and the shrunk rate that the model has without a and b,
    tell what is to be expected; of many orders, too.
    """
    rng = np.random.default_rng(18)  # unbounded, this one's fit ran off to b = 5e17
    rate, age = rng.gamma(1.7, 1 / 47, 300), rng.uniform(400, 640, 300)
    again = rng.poisson(rate * age).astype(float)
    recency = np.where(again > 0, age * rng.beta(np.maximum(again, 1), 1), 0)
    found = fit_orders(Habits(again, recency, age))
    assert found is not None
    expected = found.orders(Habits(again, recency, age), DAYS)
    shrunk = (found.r + again) / (found.alpha + age) * DAYS
    np.testing.assert_allclose(expected, shrunk, rtol=0.05)
    assert expected.sum() == pytest.approx(rate.sum() * DAYS, rel=0.05)


@pytest.mark.parametrize(
    ("again", "recency", "age", "orders", "alive"),
    [  # of lifetimes 0.11.3 with the same parameters
        (2, 30.43, 38.86, 1.2260, 0.7266),
        (0, 0.0, 38.86, 0.0, 1.0),
    ],
)
def test_one_customer_as_published(again, recency, age, orders, alive):
    """Fader, Hardie & Lee 2005, section 4: r 0.243, alpha 4.414, a 0.793, b 2.426, in weeks; the first customer of
    CDNOW is expected to order 1.226 times in 39 weeks.
    """
    model = BgNbd(0.243, 4.414, 0.793, 2.426)
    habits = Habits(np.array([again]), np.array([recency]), np.array([age]))
    if again:
        assert model.orders(habits, 39)[0] == pytest.approx(orders, abs=5e-4)
    assert model.alive(habits)[0] == pytest.approx(alive, abs=5e-4)


def test_the_value_of_an_order_is_shrunk_to_that_of_all():
    rng = np.random.default_rng(1)
    orders = rng.integers(1, 12, 4000).astype(float)
    own = rng.gamma(4.0, 1 / 15.0, 4000)
    mean = rng.gamma(6.0 * orders) / (own * orders)
    found = fit_value(orders, mean)
    assert found is not None
    assert (found.p, found.q, found.v) == pytest.approx((6, 4, 15), rel=0.3)
    truth = 6.0 / own
    told = found.value(orders, mean)
    assert np.abs(told - truth).mean() < np.abs(mean - truth).mean()
    assert GammaGamma(6, 4, 15).value(np.array([1e6]), np.array([50.0]))[0] == pytest.approx(50, rel=1e-3)


def test_too_few_customers_tell_nothing():
    few = Habits(np.array([1.0, 0.0]), np.array([3.0, 0.0]), np.array([9.0, 9.0]))
    assert fit_orders(few) is None
    assert fit_value(np.ones(3), np.ones(3)) is None
