"""The users' true mixes of interests in each week of a log with a known truth: base, migrations, seasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trajectory.data.simulate.base import at_least, require, shares


@dataclass(frozen=True)
class Mixing:
    """How users' mixes of interests are drawn; raises UserError where the numbers contradict each other."""

    users: int = 2_000  # histories
    weeks: int = 52  # length of the log
    interests: int = 20
    concentration: float = 0.3  # of the symmetric Dirichlet law of a user's base mix
    migrating: float = 0.4  # share of users with one migration, from their strongest interest to another one
    migration_first: int = 10  # earliest week (from 0) in which one begins
    migration_last: int = 42  # latest week in which one begins
    migration_mass: float = 0.5  # mass moved, of the user's whole mass 1; a source that has less is first raised to it
    migration_ramp: int = 3  # weeks until all of the mass has moved, linear
    seasonal: int = 5  # interests with a season
    swing: float = 0.3  # amplitude of a season's yearly sinusoid, relative

    def __post_init__(self) -> None:
        at_least(self, 1, "users", "weeks", "migration_ramp")
        shares(self, "migrating", "migration_mass", "swing")
        require(self.concentration > 0, f"concentration={self.concentration}: expected more than 0")
        require(self.interests >= 2, f"interests={self.interests}: expected at least 2")
        require(0 <= self.seasonal <= self.interests, f"seasonal={self.seasonal}: expected 0 to interests")
        require(
            0 <= self.migration_first <= self.migration_last <= self.weeks - self.migration_ramp or not self.migrating,
            f"migrations begin in weeks {self.migration_first} to {self.migration_last}: expected an order and an end "
            f"(+ migration_ramp={self.migration_ramp}) within weeks={self.weeks}",
        )

    @property
    def names(self) -> np.ndarray:
        """Name of each interest."""
        return np.array([f"interest_{k + 1:02d}" for k in range(self.interests)])


def mixes(p: Mixing, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, pl.DataFrame]]:
    """The true mixes [users, weeks, interests], float32, and the truth tables that say how they came about."""
    names = p.names
    base = rng.dirichlet(np.full(p.interests, p.concentration), p.users)
    mover = np.sort(rng.permutation(p.users)[: round(p.migrating * p.users)])
    week = rng.integers(p.migration_first, p.migration_last + 1, mover.size)
    source = base[mover].argmax(axis=1)
    destination = (source + rng.integers(1, p.interests, mover.size)) % p.interests
    top = base[mover, source]
    raised = np.maximum(top, p.migration_mass)  # half of all mass can only leave an interest that holds it
    base[mover] *= ((1 - raised) / np.maximum(1 - top, 1e-12))[:, None]
    base[mover, source] = raised

    mix = np.repeat(base.astype(np.float32)[:, None], p.weeks, axis=1)
    moved = p.migration_mass * ((np.arange(p.weeks) - week[:, None] + 1) / p.migration_ramp).clip(0, 1)
    mix[mover, :, source] -= moved
    mix[mover, :, destination] += moved
    np.maximum(mix, 0, out=mix)  # rounding
    season, phase = np.sort(rng.permutation(p.interests)[: p.seasonal]), rng.random(p.seasonal)
    mix[:, :, season] *= (1 + p.swing * np.sin(2 * np.pi * (np.arange(p.weeks)[:, None] / 52 + phase))).astype("f4")
    mix /= mix.sum(axis=2, keepdims=True)

    user, weeks = np.repeat(np.arange(1, p.users + 1), p.weeks), np.tile(np.arange(p.weeks), p.users)
    columns = dict(zip(names.tolist(), mix.reshape(-1, p.interests).T, strict=True))
    migrations = {"user": mover + 1, "week": week, "source": names[source], "destination": names[destination]}
    return mix, {
        "interest_mix": pl.DataFrame({"user": user, "week": weeks, **columns}),
        "migrations": pl.DataFrame(migrations).with_columns(mass=pl.lit(p.migration_mass)),
        "seasons": pl.DataFrame({"interest": names[season], "phase": phase}),
    }
