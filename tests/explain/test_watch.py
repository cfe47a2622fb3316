from __future__ import annotations

import numpy as np
import pytest

from tests.explain.cases import HISTORIES, run_of
from trajectory.evaluation.validation import Watch
from trajectory.explain.explain import Explainer
from trajectory.explain.faithfulness import rank_agreement
from trajectory.explain.targets import Target
from trajectory.explain.watch import WatchReasons


def test_reasons_of_validation_users_are_beside_the_metrics(tmp_path) -> None:
    run = run_of(tmp_path, "gru", method="occlusion", watched=3)
    found = WatchReasons(run.task)(run.params)
    metrics = Watch(run.task)(run.params)
    told = {name for name in found if name.startswith("explain/")}
    assert {name: value for name, value in found.items() if name not in told} == metrics
    pairs = {f"explain/agreement_{name}" for name in ("gradient_times_input", "occlusion")}
    assert told == pairs | {"explain/share_view", "explain/share_purchase", "explain/gap"}
    assert found["explain/agreement_occlusion"] == pytest.approx(1)
    assert -1 <= found["explain/agreement_gradient_times_input"] < 1
    assert found["explain/share_view"] + found["explain/share_purchase"] == pytest.approx(1)


def test_shares_and_agreement_are_over_the_events_of_all_that_are_watched(tmp_path) -> None:
    run = run_of(tmp_path, "gru", method="saliency", watched=99)
    found = WatchReasons(run.task)(run.params)
    explainer, size, agreement = Explainer(run, Target("interest")), np.zeros(3), []
    for some in explainer.reasons(HISTORIES, run.task.split.validation):
        there = np.asarray(some.inputs.there)
        for row, first in enumerate(some.first):
            for column in np.flatnonzero(there[row]):
                size[HISTORIES.kind[first + column]] += abs(some.attribution.events[row, column])
        other = explainer.by("occlusion")(explainer.function, some.inputs)
        agreement += rank_agreement(there, some.attribution.events, other.events).tolist()
    assert found["explain/share_view"] == pytest.approx(size[1] / size.sum(), rel=1e-5)
    assert found["explain/agreement_occlusion"] == pytest.approx(np.nanmean(agreement), rel=1e-5)
    assert "explain/gap" not in found, "what is unsigned has none"
