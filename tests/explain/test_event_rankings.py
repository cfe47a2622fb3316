from __future__ import annotations

import numpy as np

from trajectory.explain.event_rankings import METRICS, p_values


def test_clear_leads_are_seen_however_many_are_tested() -> None:
    rng = np.random.default_rng(0)
    own, others = [f"method {n}" for n in range(6)], ["newest first", "random order", "attention"]
    value = {order: {name: (order in own) + rng.random(40) / 2 for name in METRICS} for order in (*own, *others)}
    found = p_values({"hidden": value, "removed": value}, own, others, 0)
    every = [p for masking in found.values() for by in masking.values() for of in by.values() for p in of.values()]
    assert len(every) == 144
    assert max(every) < 0.05
    same = p_values({"hidden": value | {"twin": value["attention"]}}, ["twin"], ["attention"], 0)
    assert set(same["hidden"]["twin"]["attention"].values()) == {1.0}
