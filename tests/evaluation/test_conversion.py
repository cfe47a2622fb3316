from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.data.pipeline.splits import split
from trajectory.data.times import DAY
from trajectory.evaluation.conversion import conversion_metrics, evaluate, evaluate_with_baselines
from trajectory.settings import base


def test_metrics_by_hand() -> None:
    got = conversion_metrics([0.9, 0.6, 0.4, 0.2, 0.99], [1, 0, 1, 0, -1])  # the last label is unknown
    # Pairs (converted, not): 0.9 beats 0.6 and 0.2, 0.4 beats 0.2 only: 3 of 4.
    assert got == pytest.approx({"auc": 3 / 4, "accuracy": 2 / 4, "log_loss": -np.log([0.9, 0.4, 0.4, 0.8]).mean()})


def test_what_labels_do_not_define_is_nan() -> None:
    one_class = conversion_metrics([0.2, 0.4], [0, 0])
    assert np.isnan(one_class["auc"])
    assert one_class["accuracy"] == 1
    assert all(np.isnan(value) for value in conversion_metrics([0.2], [-1]).values())


@pytest.mark.parametrize("probability", [np.nan, 1.5, -3])
def test_logits_and_nan_are_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        conversion_metrics([probability, 0.5], [0, 1])


def _experiment(event_types: list[list[int]], held_out: int) -> SimpleNamespace:
    """One history per list of event types (2 = purchase); does a purchase follow at once?"""
    histories = make_histories([list(range(1, len(k) + 1)) for k in event_types], event_types=event_types)
    c = base()
    c.split.kind, c.split.steps = "leave_last", held_out
    c.conversion.horizon_events = 1
    c.evaluation.bootstrap = 50
    return SimpleNamespace(histories=histories, split=split(histories, c.split)[1], config=c)


class _States:
    """States the given probabilities and remembers which events it was asked for."""

    def __init__(self, *probability: float) -> None:
        self.probability = np.array(probability)

    def conversion(self, start: np.ndarray, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
        self.events = np.concatenate([np.arange(a, b) for a, b in zip(first, stop, strict=True)])
        return self.probability


def test_asked_are_the_events_whose_horizon_is_held_out() -> None:
    experiment = _experiment([[1, 1, 1, 1, 2, 1], [1, 1, 1, 1, 1, 2]], held_out=2)
    oracle = _States(0.9, 0.1, 0.1, 0.1, 0.9, 0.1)
    # The state after the last known event (3) and the held-out ones; the last event's horizon is never observed.
    assert evaluate(oracle, experiment, "test") == {
        "auc": 1.0,
        "accuracy": 1.0,
        "log_loss": pytest.approx(-np.log(0.9)),
    }
    np.testing.assert_array_equal(oracle.events, [3, 4, 5, 9, 10, 11])


def test_counting_baseline_knows_each_users_own_conversions() -> None:
    found = evaluate_with_baselines(_States(*[0.5] * 6), _experiment([[1] * 7, [2] * 7, [1] * 7], held_out=1), "test")
    # Asked: does one follow the sixth event? After six purchases, as many as training never saw: the overall share 1/3.
    # After none: 0 of 8 in training, with one event of the overall share added: 1/27.
    chances = [26 / 27, 1 / 3, 26 / 27]
    counted = {"auc": 1.0, "accuracy": 2 / 3, "log_loss": -np.log(chances).mean()}
    assert found["baselines"]["conversions so far"] == pytest.approx(counted)
    # The base rate states the overall share of training, 4 of 12 events.
    stated = {"auc": 0.5, "accuracy": 2 / 3, "log_loss": -(2 * np.log(2 / 3) + np.log(1 / 3)) / 3}
    assert found["baselines"]["base rate"] == pytest.approx(stated)


def test_the_lead_over_the_best_baseline_is_of_whole_users() -> None:
    event_types = [[1] * 7, [2] * 7] * 8
    experiment = _experiment(event_types, held_out=1)
    blind = evaluate_with_baselines(_States(*[0.5] * 32), experiment, "test")
    lead = blind["paired"]["auc"]
    assert lead["baseline"] == "conversions so far"
    assert (lead["difference"], lead["low"], lead["high"]) == (-0.5, -0.5, -0.5)
    assert blind["confidence_intervals"]["auc"]["standard_error"] == 0
    rng = np.random.default_rng(0)
    noisy = evaluate_with_baselines(_States(*np.clip(rng.random(32), 0.01, 0.99)), experiment, "test")
    interval = noisy["confidence_intervals"]["auc"]
    assert interval["low"] < noisy["metrics"]["auc"] < interval["high"]
    assert set(noisy["confidence_intervals"]["baselines"]) == {"base rate", "conversions so far"}
    # Of two users a resample often holds one alone, all of whose events are alike.
    two = evaluate_with_baselines(_States(*[0.1] * 5, *[0.9] * 5), _experiment([[1] * 9, [2] * 9], held_out=4), "test")
    assert (two["metrics"]["auc"], two["confidence_intervals"]["auc"]["low"]) == (1.0, 0.5)


def test_labels_of_one_class_measure_nothing_and_are_counted() -> None:
    found = evaluate_with_baselines(_States(0.5, 0.5), _experiment([[1] * 7], held_out=1), "test")
    assert found.pop("events") == {"asked": 2, "labelled": 1, "converting": 0}
    assert found == {"metrics": {}, "baselines": {}, "confidence_intervals": {"baselines": {}}, "paired": {}}


def test_a_user_held_out_by_one_step_never_converts_within_a_day() -> None:
    experiment = _experiment([[1] * 7, [1] * 6 + [2]], held_out=1)
    experiment.config.conversion.horizon_events = 0
    found = evaluate_with_baselines(_States(*[0.5] * 4), experiment, "test")
    assert found["metrics"] == found["baselines"] == {}
    assert found["events"]["converting"] == 0


@pytest.mark.parametrize("target", ["first", "last", "all"])
def test_of_a_temporal_split_every_event_of_the_window_is_asked_whatever_items_are(target: str) -> None:
    rng = np.random.default_rng(0)
    event_types = [rng.integers(1, 3, 30).tolist() for _ in range(20)]
    histories = make_histories([[1] * 30] * 20, event_types=event_types, gap=DAY)
    c = base()
    c.split.kind, c.split.target, c.split.quantile = "temporal", target, 0.5
    c.conversion.horizon_days, c.evaluation.bootstrap = 1.0, 20
    experiment = SimpleNamespace(histories=histories, split=split(histories, c.split)[1], config=c)
    cut, end = experiment.split.cut_time("test"), histories.time.max()
    days = histories.time.reshape(20, 30)[0]
    window = np.flatnonzero((days >= cut) & (days + DAY <= end))
    asked = [window[0] - 1, *window]  # the state before the window too
    truth = [of[day + 1] == 2 for of in event_types for day in asked]
    states = _States(*np.full(20 * (len(asked) + 1), 0.5))
    events = evaluate_with_baselines(states, experiment, "test")["events"]
    assert events == {"asked": 20 * (len(asked) + 1), "labelled": len(truth), "converting": sum(truth)}
