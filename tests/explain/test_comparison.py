from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.explain.cases import run_of
from trajectory.explain.comparison import compare_methods
from trajectory.explain.comparison_table import markdown, mean_ranks, not_ahead, summary
from trajectory.explain.event_rankings import ATTENTION, METRICS, RANDOM, RECENCY
from trajectory.explain.explain import Explainer
from trajectory.explain.perturbation import shapley
from trajectory.explain.targets import Target

METHODS = ("occlusion", "saliency", "shapley")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("comparison"), "transformer")


@pytest.fixture(scope="module")
def found(run) -> dict[str, Any]:
    return compare_methods(run, Target("item"), METHODS, "test", 5)


def test_every_method_is_compared_with_the_baselines_of_its_backbone(found) -> None:
    assert found["forecasts"] == 5
    for masking in ("hidden", "removed"):
        assert list(found["means"][masking]) == [*METHODS, RECENCY, RANDOM, ATTENTION]
        assert set(found["p_values"][masking]) == set(METHODS)
        for by_baseline in found["p_values"][masking].values():
            assert set(by_baseline) == {RECENCY, RANDOM, ATTENTION}
            assert all(0 < p <= 1 for by_metric in by_baseline.values() for p in by_metric.values())


def test_the_measures_are_those_of_the_method(run, found) -> None:
    measures = found["measures"]
    assert measures["shapley"]["shapley"] == pytest.approx(1)
    assert measures["occlusion"]["shapley"] < 1
    assert measures["shapley"]["completeness_error"] < 1e-4 < measures["occlusion"]["completeness_error"]
    assert measures["saliency"]["completeness_error"] is measures["saliency"]["infidelity"] is None
    assert measures["occlusion"]["infidelity"] > 0
    assert all(of["sensitivity"] > 0 for of in measures.values())
    assert all(-1 <= of["randomised"] < 1 for of in measures.values())

    explainer = Explainer(run, Target("item"))
    for batch in explainer.attributions(run.experiment.histories, run.experiment.split.test):
        exact = shapley(explainer.function, batch.inputs, explainer.reference(batch.inputs))
        by_name = explainer.method_named("shapley")(explainer.function, batch.inputs)
        np.testing.assert_array_equal(by_name.events, exact.events)


def test_a_model_with_nothing_to_forget_agrees_with_itself(run) -> None:
    even = run.with_model(run.model, {"params": _even(run.params["params"])})
    found = compare_methods(even, Target("item"), ("saliency",), "test", 5)
    assert found["measures"]["saliency"]["randomised"] == pytest.approx(1)


def _even(tree: Any) -> Any:
    """Every array with one number throughout, which no shuffling changes."""
    return {k: _even(v) if isinstance(v, dict) else np.full_like(v, 0.1) for k, v in tree.items()}


def made_up(deletion: dict[str, float], p: float = 0.01) -> dict[str, Any]:
    """A comparison in which all metrics are alike and every p-value is `p`."""
    methods = [name for name in deletion if name not in (RECENCY, RANDOM)]
    means = {ranking: {name: sign * value for name, sign in METRICS.items()} for ranking, value in deletion.items()}
    tested = {m: {baseline: dict.fromkeys(METRICS, p) for baseline in (RECENCY, RANDOM)} for m in methods}
    measures = {m: {"infidelity": 0.5, "completeness_error": None} for m in methods}
    shared = {"data": "log", "backbone": "gru", "measures": measures}
    return shared | {"means": {"hidden": means}, "p_values": {"hidden": tested}}


def test_ranks_are_means_over_runs_and_equal_ones_share_theirs() -> None:
    one = made_up({"a": 3.0, "b": 2.0, "c": 2.0, RECENCY: 9.0, RANDOM: 0.0})
    two = made_up({"c": 3.0, "b": 2.0, "a": 1.0, RECENCY: 0.0, RANDOM: 0.0})
    assert mean_ranks([one]) == {"a": 1.0, "b": 2.5, "c": 2.5}
    ranks = mean_ranks([one, two])
    assert ranks == {"c": 1.75, "a": 2.0, "b": 2.25}
    assert list(ranks) == ["c", "a", "b"]


def test_where_a_method_is_not_ahead_of_a_baseline_is_listed() -> None:
    behind = made_up({"a": 3.0, RECENCY: 4.0, RANDOM: 0.0})
    assert len(list(not_ahead([behind], "a"))) == len(METRICS)
    assert all("leads newest first by -1.000 (p = 0.010)" in line for line in not_ahead([behind], "a"))
    assert not list(not_ahead([made_up({"a": 3.0, RECENCY: 1.0, RANDOM: 0.0})], "a"))
    assert len(list(not_ahead([made_up({"a": 3.0, RECENCY: 1.0, RANDOM: 0.0}, p=0.2)], "a"))) == 2 * len(METRICS)


def test_the_summary_has_ranks_of_each_run_and_the_leads_of_the_best_method() -> None:
    one = made_up({"a_b": 3.0, "c": 2.0, RECENCY: 1.0, RANDOM: 4.0})
    two = made_up({"a_b": 1.0, "c": 2.0, RECENCY: 0.5, RANDOM: 0.0}, p=0.2) | {"backbone": "lstm"}
    first = summary([one]).splitlines()
    assert first[0].startswith("| run | a b | c | lead of a b over newest first | lead of a b over random order |")
    assert first[2:] == ["| log, gru | 1.00 | 2.00 | +2.00 (4 of 4) | -1.00 (0 of 4) |  |"]
    both = summary([one, one, two]).splitlines()
    assert both[3:] == [
        "| log, gru | 1.00 | 2.00 | +2.00 (4 of 4) | -1.00 (0 of 4) |  |",
        "| log, lstm | 2.00 | 1.00 | +0.50 (0 of 4) | +1.00 (0 of 4) |  |",
        "| all | **1.33** | **1.67** |  |  |  |",
    ]


def test_the_table_marks_the_best_and_what_is_above_all_baselines() -> None:
    lines = markdown(made_up({"a": 3.0, "b_c": 0.5, RECENCY: 1.0, RANDOM: 0.0})).splitlines()
    assert lines[2].startswith("| a | **3.000** * | **3.000** * | **3.000** * | **-3.000** * | 0.500 |")
    assert lines[3].startswith("| b c | 0.500 | 0.500 |")
    assert lines[4].startswith("| newest first | 1.000 |")
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
