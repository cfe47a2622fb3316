from __future__ import annotations

import numpy as np
import pytest

from tests.explain.cases import HISTORIES, run_of
from trajectory.explain.explain import Explainer
from trajectory.explain.faithfulness import rank_agreement
from trajectory.explain.monitor import WatchReasons
from trajectory.explain.targets import Target


def test_shares_and_agreement_are_over_the_events_of_all_that_are_watched(tmp_path) -> None:
    run = run_of(tmp_path, "gru", method="saliency", watched=4)
    watch = WatchReasons(run.task)
    assert len(watch.queries.user) == 4
    found = watch(run.params)
    assert {"validation/loss", "validation/ndcg@10"} < set(found), "what is watched otherwise is there too"
    told = {name.removeprefix("explain/") for name in found if name.startswith("explain/")}
    shares = {"share_view", "share_purchase"}
    assert told == {"agreement_gradient_times_input", "agreement_occlusion"} | shares, "what is unsigned has no gap"
    assert found["explain/share_view"] + found["explain/share_purchase"] == pytest.approx(1)

    explainer, size, agreement = Explainer(run, Target("interest")), np.zeros(3), []
    for some in explainer.reasons(HISTORIES, watch.queries):
        there = np.asarray(some.inputs.there)
        for row, first in enumerate(some.first):
            for column in np.flatnonzero(there[row]):
                size[HISTORIES.kind[first + column]] += abs(some.attribution.events[row, column])
        other = explainer.by("occlusion")(explainer.function, some.inputs)
        agreement += rank_agreement(there, some.attribution.events, other.events).tolist()
    assert found["explain/share_view"] == pytest.approx(size[1] / size.sum(), rel=1e-5)
    assert found["explain/agreement_occlusion"] == pytest.approx(np.nanmean(agreement), rel=1e-5)
