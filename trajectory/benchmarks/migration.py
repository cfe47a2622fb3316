"""How well planted migrations are found: by their mass, by the users' activity, and where none are."""

import time
from dataclasses import replace
from itertools import product

import numpy as np

from trajectory.data.simulate.synthetic import Synthetic, generate
from trajectory.migrations.migration import Settings, detect
from trajectory.migrations.recovery import histories_of, score

SHOWN = (
    "precision",
    "recall",
    "detected",
    "right_pair",
    "false_alarms",
    "of_bursting",
    "of_season_only",
    "days",
    "covered",
)
NEARER = (14.0, 7.0)  # days: how far a start may lie from its truth, beside `known_truth.WITHIN`
SMALL = Synthetic(users=1000)
SINGLE = Synthetic(users=100, migrating=0.0, basket_size=1, noise=0.0, bursting=0.0, causes=0)


def migration() -> None:
    """One row for each planted log: the default of seed 0 first, those it was chosen on, and curves on 1,000 users."""
    names = [*SHOWN, *(f"{name}_{days:.0f}" for days in NEARER for name in ("precision", "recall"))]
    print(
        f"migration: {'planted log':<22} seed " + " ".join(f"{name:>14}" for name in names) + f" {'level':>6}  users/s"
    )
    for seed in range(4):
        _row("default", Synthetic(), seed)
    for seed in (1, 2):
        _row("no migration", Synthetic(migrating=0.0), seed)
    for mass in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8):
        _row(f"mass {mass}", replace(SMALL, migration_mass=mass), 1)
    for baskets in (15.0, 30.0, 60.0, 120.0):
        _row(f"{baskets:.0f} baskets a user", replace(SMALL, baskets=baskets), 1)
    repeating()


def repeating() -> None:
    """Logs whose baskets repeat the one before: of single events where nobody migrates, and the default."""
    for baskets, share, seed in product((60.0, 20.0), (0.0, 0.3, 0.5, 0.7), (1, 2)):
        _row(f"none, repeat {share}, {baskets:.0f}", replace(SINGLE, baskets=baskets, repeating=share), seed)
    for share, seed in product((0.0, 0.3, 0.5), (1, 2)):
        _row(f"default, repeat {share}", replace(SMALL, users=200, repeating=share), seed)


def _row(name: str, parameters: Synthetic, seed: int) -> None:
    """`level`: share of the users without migration whose p-value is at most 0.05, which should be 0.05."""
    log = generate(parameters, seed)
    histories = histories_of(log)
    began = time.perf_counter()
    result = detect(histories, Settings())
    rate = histories.num_users / (time.perf_counter() - began)
    found = score(result.moves, log)
    still = ~result.tested["user"].is_in(log.truth["migrations"]["user"].implode())
    level = np.mean(result.tested.filter(still)["p_value"].to_numpy() <= 0.05)
    values = [found[column] for column in SHOWN]
    for days in NEARER:
        near = score(result.moves, log, days)
        values += [near["precision"], near["recall"]]
    cells = " ".join(f"{value:14.3f}" for value in values)
    print(f"migration: {name:<22} {seed:>4} {cells} {level:6.3f} {rate:8.0f}", flush=True)
