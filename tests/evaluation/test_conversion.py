from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.data.pipeline.splits import split
from trajectory.data.times import DAY
from trajectory.evaluation.conversion import (
    conversion_metrics,
    conversion_queries,
    evaluate,
    evaluate_with_baselines,
    fit_calibration,
)
from trajectory.settings import base


def test_metrics_by_hand() -> None:
    got = conversion_metrics([0.9, 0.6, 0.4, 0.2, 0.99], [1, 0, 1, 0, -1])  # the last label is unknown
    # Pairs (converted, not): 0.9 beats 0.6 and 0.2, 0.4 beats 0.2 only: 3 of 4.
    by_hand = {"auc": 3 / 4, "accuracy": 2 / 4, "log_loss": -np.log([0.9, 0.4, 0.4, 0.8]).mean()}
    # Each probability is a bin of its own.
    by_hand["calibration_error"] = (0.1 + 0.6 + 0.6 + 0.2) / 4
    assert got == pytest.approx(by_hand)


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
        "calibration_error": pytest.approx(0.1),
    }
    np.testing.assert_array_equal(oracle.events, [3, 4, 5, 9, 10, 11])


def test_counting_baseline_knows_each_users_own_conversions() -> None:
    found = evaluate_with_baselines(_States(*[0.5] * 6), _experiment([[1] * 7, [2] * 7, [1] * 7], held_out=1), "test")
    # Asked: does one follow the sixth event? After six purchases, as many as training never saw: the overall share 1/3.
    # After none: 0 of 8 in training, with one event of the overall share added: 1/27.
    chances = [26 / 27, 1 / 3, 26 / 27]
    counted = {"auc": 1.0, "accuracy": 2 / 3, "log_loss": -np.log(chances).mean()}
    # Equal probabilities are one bin: two of 1/27 that do not convert, and 1/3 that does.
    counted["calibration_error"] = (2 / 27 + 2 / 3) / 3
    assert found["baselines"]["conversions so far"] == pytest.approx(counted)
    # The base rate states the overall share of training, 4 of 12 events.
    stated = {"auc": 0.5, "accuracy": 2 / 3, "log_loss": -(2 * np.log(2 / 3) + np.log(1 / 3)) / 3}
    stated["calibration_error"] = 0.0
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
    assert set(noisy["confidence_intervals"]["baselines"]) == {"base rate", "conversions so far", "gradient boosting"}
    # Of two users a resample often holds one alone, all of whose events are alike.
    two = evaluate_with_baselines(_States(*[0.1] * 5, *[0.9] * 5), _experiment([[1] * 9, [2] * 9], held_out=4), "test")
    assert (two["metrics"]["auc"], two["confidence_intervals"]["auc"]["low"]) == (1.0, 0.5)


def test_labels_of_one_class_measure_nothing_and_are_counted() -> None:
    experiment = _experiment([[1] * 7, [2, *[1] * 6]], held_out=1)
    found = evaluate_with_baselines(_States(*[0.5] * 4), experiment, "test")
    assert found.pop("events") == {"asked": 4, "labelled": 2, "converting": 0}
    assert found == {"metrics": {}, "baselines": {}, "confidence_intervals": {"baselines": {}}, "paired": {}}


def test_a_user_held_out_by_one_step_never_converts_within_a_day() -> None:
    experiment = _experiment([[1] * 7, [1] * 6 + [2]], held_out=1)
    experiment.config.conversion.horizon_events = 0
    found = evaluate_with_baselines(_States(*[0.5] * 4), experiment, "test")
    assert found["metrics"] == found["baselines"] == {}
    assert found["events"]["converting"] == 0


def test_boosting_is_measured_beside_the_others_and_the_lead_over_it_is_told() -> None:
    rng = np.random.default_rng(0)
    experiment = _experiment(rng.integers(1, 3, (40, 30)).tolist(), held_out=3)
    asked = 4 * 40
    found = evaluate_with_baselines(_States(*rng.random(asked)), experiment, "test")
    assert set(found["baselines"]["gradient boosting"]) == {"auc", "accuracy", "log_loss", "calibration_error"}
    leads = {lead["baseline"]: lead for lead in found["paired"].values()}
    best = max(found["baselines"], key=lambda name: found["baselines"][name]["auc"])
    assert set(leads) == {best, "gradient boosting"}
    lead = leads["gradient boosting"]
    assert lead["difference"] == found["metrics"]["auc"] - found["baselines"]["gradient boosting"]["auc"]
    assert lead["low"] < lead["difference"] < lead["high"]


def test_a_calibration_of_validation_mends_probabilities_that_are_too_sure() -> None:
    """Half of the events convert; a model that states 0.9 or 0.1, right in two of three, is too sure."""
    rng = np.random.default_rng(0)
    types = rng.integers(1, 3, (200, 12))
    experiment = _experiment(types.tolist(), held_out=3)

    class TooSure:
        def conversion(self, start: np.ndarray, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
            events = np.concatenate([np.arange(a, b) for a, b in zip(first, stop, strict=True)])
            follows = np.append(types.ravel()[1:], 1)[events] == 2
            right = np.random.default_rng(1).random(len(types.ravel()))[events] < 2 / 3
            return np.where(follows == right, 0.9, 0.1)

    calibration = fit_calibration(TooSure(), experiment)
    assert calibration is not None
    assert calibration.apply(np.array([0.9, 0.1])) == pytest.approx([2 / 3, 1 / 3], abs=0.06)
    metrics = evaluate_with_baselines(TooSure(), experiment, "test", calibration=calibration)["metrics"]
    assert metrics["calibration_error"] > 0.15
    assert metrics["calibration_error_calibrated"] < 0.06
    assert metrics["log_loss_calibrated"] < metrics["log_loss"] - 0.05


def test_users_of_whom_nothing_predicted_comes_in_the_window_are_asked_too() -> None:
    """Asked of purchasers alone (data.target_types), every label would look back from a purchase."""
    types = [[1] * 6 + [1, 2] * 12, [1] * 30]
    histories = make_histories([[1] * 30] * 2, event_types=types, gap=DAY)
    histories = replace(histories, roles=histories.roles | {"view": ("input",)})
    c = base()
    c.split.kind, c.split.target, c.split.quantile = "temporal", "all", 0.5
    experiment = SimpleNamespace(histories=histories, split=split(histories, c.split)[1], config=c)
    assert len(experiment.split.test.user) == 1
    for part in ("validation", "test"):
        asked = conversion_queries(experiment, part)
        assert asked.user.tolist() == [0, 1]
        assert ((asked.start < asked.stop) & (asked.stop < asked.end)).all()
    states = _States(*np.linspace(0.1, 0.9, 2 * 15))
    assert evaluate_with_baselines(states, experiment, "test")["events"]["asked"] == 2 * 15


def test_of_carts_only_cart_events_are_asked() -> None:
    histories = make_histories([[1] * 30] * 2, event_types=[[1, 2, 3] * 10] * 2, gap=DAY)
    histories = replace(histories, event_types=("view", "cart", "purchase"))
    c = base()
    c.split.kind, c.split.target, c.split.quantile = "temporal", "all", 0.5
    c.conversion.unit = "cart"
    experiment = SimpleNamespace(histories=histories, split=split(histories, c.split)[1], config=c)
    events = evaluate_with_baselines(_States(*np.full(30, 0.5)), experiment, "test")["events"]
    assert events == {"asked": 10, "labelled": 10, "converting": 10}


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
    truth = [of[day + 1] == 2 for of in event_types for day in window]  # events before the window are not of it
    states = _States(*np.full(20 * (len(window) + 1), 0.5))
    events = evaluate_with_baselines(states, experiment, "test")["events"]
    assert events == {"asked": 20 * (len(window) + 1), "labelled": len(truth), "converting": sum(truth)}
