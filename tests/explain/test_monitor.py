from __future__ import annotations

import numpy as np
import pytest

from tests.explain.cases import HISTORIES, run_of
from trajectory.explain.explain import Explainer
from trajectory.explain.faithfulness import rank_agreement
from trajectory.explain.monitor import AttributionMonitor
from trajectory.explain.targets import Target


def test_shares_and_agreement_are_over_the_events_of_all_that_are_monitored(tmp_path) -> None:
    run = run_of(tmp_path, "gru", method="saliency", monitored=4)
    monitor = AttributionMonitor(run.experiment)
    assert len(monitor.queries.user) == 4
    found = monitor(run.params)
    assert {"validation/loss", "validation/ndcg@10"} < set(found), "validation metrics are there too"
    attributed = {name.removeprefix("explain/") for name in found if name.startswith("explain/")}
    shares = {"share_view", "share_purchase"}
    assert attributed == {"agreement_gradient_times_input", "agreement_occlusion"} | shares, (
        "saliency is unsigned and has no error"
    )
    assert found["explain/share_view"] + found["explain/share_purchase"] == pytest.approx(1)

    explainer, size, agreement = Explainer(run, Target("interest")), np.zeros(3), []
    for batch in explainer.attributions(HISTORIES, monitor.queries):
        mask = np.asarray(batch.inputs.mask)
        for row, first in enumerate(batch.first):
            for column in np.flatnonzero(mask[row]):
                size[HISTORIES.event_type[first + column]] += abs(batch.attribution.events[row, column])
        other = explainer.method_named("occlusion")(explainer.function, batch.inputs)
        agreement += rank_agreement(mask, batch.attribution.events, other.events).tolist()
    assert found["explain/share_view"] == pytest.approx(size[1] / size.sum(), rel=1e-5)
    assert found["explain/agreement_occlusion"] == pytest.approx(np.nanmean(agreement), rel=1e-5)
