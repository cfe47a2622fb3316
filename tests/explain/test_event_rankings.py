from __future__ import annotations

import numpy as np

from trajectory.explain import event_rankings
from trajectory.explain.event_rankings import METRICS, p_values


def test_clear_leads_are_seen_however_many_are_tested(monkeypatch) -> None:
    monkeypatch.setattr(event_rankings, "RESAMPLES", 200)  # of their own too few for the 48 tests below
    rng = np.random.default_rng(0)
    own, others = [f"method {n}" for n in range(2)], ["newest first", "random order", "attention"]
    value = {order: {name: (order in own) + rng.random(40) / 2 for name in METRICS} for order in (*own, *others)}
    found = p_values({"hidden": value, "removed": value}, own, others, 0)
    every = [p for masking in found.values() for by in masking.values() for of in by.values() for p in of.values()]
    assert len(every) == 48
    assert max(every) < 0.05
    same = p_values({"hidden": value | {"twin": value["attention"]}}, ["twin"], ["attention"], 0)
    assert set(same["hidden"]["twin"]["attention"].values()) == {1.0}
