"""Made-up shops whose truth is known; `python -m tests.insights.customers.shops` prints how next orders held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.builders import make_histories
from trajectory.data.times import DAY
from trajectory.insights.customers.forecast import customers
from trajectory.insights.sale_lines import sale_lines
from trajectory.schema import EVENT_TYPES, Histories

SPAN = 360


def leaving(users: int = 600, seed: int = 0) -> tuple[Histories, np.ndarray]:
    """Customers who order at rates of their own and may leave; and whether each has left by the end."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(1.0, 1 / 20, users), rng.beta(1.0, 6.0, users)
    worth = rng.gamma(4.0, 5.0, users)
    lists, times, gone, value = [], [], np.zeros(users, bool), []
    for i in range(users):
        at, mine = rng.uniform(0, SPAN / 2), []
        while at < SPAN:
            mine.append(at)
            if rng.random() < leaves[i]:
                gone[i] = True
                break
            at += rng.exponential(1 / rate[i])
        times.append(np.array(mine))
        lists.append(rng.integers(1, 5, len(mine)).tolist())
        value.append(rng.gamma(4.0, worth[i] / 4, len(mine)))
    return _sales(lists, times, value), gone


def regular(users: int = 600, seed: int = 0) -> Histories:
    """Customers of whom each orders about as often as before (gamma waits of shape 9), and none leaves."""
    rng = np.random.default_rng(seed)
    lists, times, value = [], [], []
    for _ in range(users):
        level, at, mine = rng.lognormal(np.log(30), 0.6), rng.uniform(0, SPAN / 2), []
        while at < SPAN:
            mine.append(at)
            at += level * rng.gamma(9.0, 1 / 9)
        times.append(np.array(mine))
        lists.append(rng.integers(1, 5, len(mine)).tolist())
        value.append(rng.gamma(4.0, 5.0, len(mine)))
    return _sales(lists, times, value)


def _sales(lists: list[list[int]], days: list[np.ndarray], value: list[np.ndarray]) -> Histories:
    histories = make_histories(lists, num_items=4, interests=2)
    return replace(
        histories,
        time=histories.time.min() // DAY * DAY + (np.concatenate(days) * DAY).astype(np.int64),
        event_type=np.full(histories.num_events, 2, np.int8),
        value=np.concatenate(value).astype(np.float32),
        roles=EVENT_TYPES,
    )


def main() -> None:
    for name in ("leaving", "regular"):
        for seed in range(3):
            shop = leaving(1500, seed)[0] if name == "leaving" else regular(1500, seed)
            held = customers(shop, sale_lines(shop)).measured["next_order"]
            print(f"{name}, seed {seed}: none {held['none']:.1%}, chosen {held['by']}")
            for method, of in held["methods"].items():
                print(f"  {method:40}" + "  ".join(f"{measure} {number:.3f}" for measure, number in of.items()))


if __name__ == "__main__":
    main()
