from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, fake_run, initialise, make_model, random_histories
from trajectory.data.pipeline.featurize import last_rows
from trajectory.inference.direct import DirectForecaster
from trajectory.inference.predictor import Predictor
from trajectory.insights.demand.bottom_up import from_users, pace, sale_rates
from trajectory.insights.demand.weekly_counts import weekly
from trajectory.schema import EVENT_TYPES, Queries

LENGTH = 16
STOPS = [15, 18]


@pytest.fixture(scope="module")
def run():
    """Twelve users, one event every nine days; some have more than a row holds."""
    histories = random_histories(12, 30, 25, gap=9 * 86_400)
    model = make_model("gru", horizon=3, capacity=LENGTH)
    start = histories.offsets[:1]
    params = initialise(model, last_rows(histories, NO_FEATURES, start, start + 1, 1))
    config = ConfigDict({"heads": {"horizon": 3}, "batch": {"length": LENGTH}})
    return fake_run(params, histories=histories, model=model, feature_scale=NO_FEATURES, config=config)


def of(run, histories):
    """The run with other histories."""
    return fake_run(run.params, **{**vars(run.experiment), "histories": histories})


def test_first_weeks_follow_the_chances_of_the_next_step_at_each_users_pace(run):
    h = run.experiment.histories
    weeks = weekly(h)
    found = from_users(run, weeks, [17], 2)[0]
    stop = h.offsets[:-1] + [
        int((h.time[a:b] < weeks.begins(17)).sum()) for a, b in zip(h.offsets[:-1], h.offsets[1:], strict=True)
    ]
    fast = pace(h, stop, weeks.begins(17))
    assert (fast.steps < 1).all()  # so the middle of the first week is still the next step
    direct = DirectForecaster(Predictor(run.model, run.params, h, NO_FEATURES, LENGTH), 3)
    chance = direct.forecast(Queries(np.arange(12), h.offsets[:-1], stop, stop)).probability[:, 0, 1:]
    np.testing.assert_allclose(found[0], fast.pieces @ chance, rtol=1e-4)
    assert found[1].sum() == pytest.approx(fast.pieces.sum(), rel=1e-4)


def test_views_are_no_sales(run):
    """Every other event is a view, and item 1 is only looked at: pieces are those of purchases."""
    h = run.experiment.histories
    event_type = np.where((np.arange(h.num_events) % 2 == 0) & (h.item != 1), 2, 1).astype(np.int8)
    quantity = np.full(h.num_events, 3, np.float32)
    mixed = replace(h, event_type=event_type, quantity=quantity, roles=EVENT_TYPES)
    weeks = weekly(mixed)
    found = from_users(of(run, mixed), weeks, [17], 1)[0, 0]
    whole = from_users(of(run, replace(mixed, roles=h.roles)), weeks, [17], 1)[0, 0]
    stop = h.offsets[:-1] + np.add.reduceat(h.time < weeks.begins(17), h.offsets[:-1])
    assert found.sum() == pytest.approx(pace(mixed, stop, weeks.begins(17)).pieces.sum(), rel=1e-4)
    only_looks = np.where(np.arange(h.num_events) < h.offsets[1], 1, event_type).astype(np.int8)
    pieces = pace(replace(mixed, event_type=only_looks), stop, weeks.begins(17)).pieces
    assert pieces[0] == 0 < pieces[1:].max()
    rate = np.exp(sale_rates(mixed, weeks.begins(17)))
    assert rate[1] == rate[1:].min() < 1
    assert found[0] / found.sum() < whole[0] / whole.sum()
    np.testing.assert_array_equal(sale_rates(h, weeks.begins(17)), 0)  # where all events are sales nothing is scaled


def test_origins_read_together_say_what_each_says_alone(run):
    weeks = weekly(run.experiment.histories)
    together = from_users(run, weeks, STOPS, 3)
    for i, origin in enumerate(STOPS):
        np.testing.assert_allclose(together[i], from_users(run, weeks, [origin], 3)[0], rtol=1e-3, atol=1e-6)


def test_a_history_of_more_events_between_origins_than_a_row_holds_is_read_at_each(run):
    histories = random_histories(6, 30, 90, gap=86_400)
    busy = of(run, histories)
    weeks = SimpleNamespace(begins=lambda week: int(histories.time.min()) + week * 7 * 86_400)
    together = from_users(busy, weeks, [2, 7], 1)  # 35 days apart; a row holds 16
    np.testing.assert_allclose(together[0], from_users(busy, weeks, [2], 1)[0], rtol=1e-3, atol=1e-6)
    assert together[0].sum() > 0


def test_what_comes_later_is_not_read(run):
    h = run.experiment.histories
    weeks = weekly(h)
    item = np.where(h.time >= weeks.begins(15), 1, h.item).astype(np.int32)
    other = of(run, replace(h, item=item))
    np.testing.assert_allclose(from_users(other, weeks, STOPS, 2)[0], from_users(run, weeks, STOPS, 2)[0], rtol=1e-5)


def test_a_pace_is_a_mean_that_forgets(run):
    h = run.experiment.histories
    now = int(h.time.max())
    fast = pace(h, h.offsets[1:], now)
    assert fast.steps.max() < 7 / 9 + 0.3
    nobody = pace(h, h.offsets[:-1], now)
    np.testing.assert_array_equal(nobody.pieces, 0)
