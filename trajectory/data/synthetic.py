"""Logs with a known truth: planted migrations and causes. (`markov.py` makes logs that follow a known chain.)

How a planted log is made. Each event's interest is drawn from its user's mix of that week (base mix, then migration,
then season), its item from the interest's Zipf law; noise and bursts replace some. Every event has one origin:

    interest     drawn from the mix
    noise        uniform over the catalogue without trigger and distractor items
    burst        an event of the user's one basket of a foreign interest
    trigger      an interest event whose item was swapped for a trigger of the same interest
    distractor   the same for a distractor, in the same basket as a trigger and of another interest
    caused       the target of a trigger that fired, put in the place of an ordinary event

What causes (`causes.py`) do to the interest truth: triggers and distractors keep the interest that was drawn. A caused
event takes the interest of its trigger, itself a draw from the mix a few events earlier; caused events are about 1 % of
the log.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data import causes
from trajectory.data.known_truth import START, SyntheticLog, categorical, interactions, ranks, require
from trajectory.data.times import WEEK
from trajectory.schema import STANDARD_KINDS

ORIGINS = ("interest", "noise", "burst", "trigger", "distractor", "caused")
INTEREST, NOISE, BURST, TRIGGER, DISTRACTOR, CAUSED = range(len(ORIGINS))


@dataclass(frozen=True)
class Synthetic:
    """What is planted; raises UserError where the numbers contradict each other."""

    users: int = 2_000  # histories
    weeks: int = 52  # length of the log
    baskets: float = 60.0  # baskets of a user over the whole log, mean of a Poisson law (at least 1)
    basket_size: int = 5  # events of a basket: uniform from 1 to this; a burst has exactly this many
    interests: int = 20
    items_per_interest: int = 50
    zipf: float = 1.0  # exponent of an item's share by its rank within the interest
    concentration: float = 0.3  # of the symmetric Dirichlet law of a user's base mix
    migrating: float = 0.4  # share of users with one migration, from their strongest interest to another one
    migration_first: int = 10  # earliest week (from 0) in which one begins
    migration_last: int = 42  # latest week in which one begins
    migration_mass: float = 0.5  # mass moved, of the user's whole mass 1; a source that has less is first raised to it
    migration_ramp: int = 3  # weeks until all of the mass has moved, linear
    bursting: float = 0.2  # share of users with one burst
    seasonal: int = 5  # interests with a season
    swing: float = 0.3  # amplitude of a season's yearly sinusoid, relative
    noise: float = 0.1  # share of events outside bursts (before a few give way to targets)
    causes: int = 30  # triggers; each has one target and one distractor, all three of one interest
    probability_with: float = 0.6  # that the target is among the next `reach` events after its trigger's basket
    probability_without: float = 0.02  # the same without the trigger
    reach: int = 5  # events
    distractors: int = 1  # in a trigger's basket, which must have that many other events
    spacing: int = 8  # baskets of a block; a block has at most one cue basket
    kinds: tuple[str, ...] = STANDARD_KINDS  # of an event, drawn independently of all else
    kind_shares: tuple[float, ...] = (0.6, 0.2, 0.1, 0.03, 0.07)  # of events, sums to 1

    def __post_init__(self) -> None:
        for name in ("users", "weeks", "basket_size", "items_per_interest", "migration_ramp", "reach", "distractors"):
            require(getattr(self, name) >= 1, f"{name}={getattr(self, name)}: expected at least 1")
        for name in ("migrating", "migration_mass", "bursting", "swing", "noise"):
            require(0 <= getattr(self, name) <= 1, f"{name}={getattr(self, name)}: expected a share from 0 to 1")
        for name in ("baskets", "concentration"):
            require(getattr(self, name) > 0, f"{name}={getattr(self, name)}: expected more than 0")
        require(self.interests >= 2, f"interests={self.interests}: expected at least 2")
        require(0 <= self.seasonal <= self.interests, f"seasonal={self.seasonal}: expected 0 to interests")
        require(
            0 <= self.migration_first <= self.migration_last <= self.weeks - self.migration_ramp or not self.migrating,
            f"migrations begin in weeks {self.migration_first} to {self.migration_last}: expected an order and an end "
            f"(+ migration_ramp={self.migration_ramp}) within weeks={self.weeks}",
        )
        require(
            0 <= self.probability_without < self.probability_with <= 1,
            f"expected 0 <= probability_without < probability_with <= 1, "
            f"got {self.probability_without} and {self.probability_with}",
        )
        require(
            self.distractors < max(self.basket_size, 2),
            f"distractors={self.distractors}: expected fewer than basket_size={self.basket_size}",
        )
        require(self.spacing > self.reach, f"spacing={self.spacing}: expected more than reach={self.reach}")
        require(
            self.causes >= 0 and 3 * self.causes_per_interest < self.items_per_interest,
            f"causes={self.causes}: expected fewer, {self.items_per_interest} items of an interest must hold "
            "3 items a cause and an ordinary one",
        )
        require(
            len(self.kinds) == len(self.kind_shares) and bool(np.isclose(sum(self.kind_shares), 1)),
            f"kind_shares={self.kind_shares}: expected one share for each of {len(self.kinds)} kinds, sum 1",
        )

    @property
    def causes_per_interest(self) -> int:
        """Causes of an interest, at most."""
        return -(-self.causes // self.interests)

    @property
    def names(self) -> np.ndarray:
        """Name of each interest."""
        return np.array([f"interest_{k + 1:02d}" for k in range(self.interests)])

    @property
    def items(self) -> int:
        """Size of the catalogue."""
        return self.interests * self.items_per_interest


def write(parameters: Synthetic, folder: str | Path, seed: int = 0) -> None:
    """Writes the log of `generate(parameters, seed)` into a folder."""
    generate(parameters, seed).write(folder)


def generate(parameters: Synthetic = Synthetic(), seed: int = 0) -> SyntheticLog:
    """A planted log, the same for the same parameters and seed; raises UserError if no share gives the baseline.

    Truth tables: migrations (user, week, source, destination, mass), bursts (user, basket, position, interest),
    seasons (interest, phase), causes (trigger, target, distractor, interest, probability_with, probability_without,
    lag_min, lag_max), fired (user, trigger_position, distractor_position, target_position, lag, trigger, distractor,
    target; of several distractors the first), interest_mix (user, week, one column per interest), origins (user,
    position, origin).
    """
    p, rng = parameters, np.random.default_rng(seed)
    mix, truth = _mixes(p, rng)
    roles = causes.roles_of(p)
    baskets = _baskets(p, mix, rng)

    event_basket = np.repeat(np.arange(baskets.size.size), baskets.size)
    row = (baskets.user * p.weeks + baskets.second // WEEK)[event_basket]
    interest = categorical(mix.reshape(-1, p.interests), row, rng)
    burst_event = (baskets.begin[baskets.burst][:, None] + np.arange(p.basket_size)).ravel()
    interest[burst_event] = np.repeat(baskets.burst_interest, p.basket_size)
    item = interest * p.items_per_interest + categorical(causes.item_shares(p, mix, roles), interest, rng)
    origin = np.where(rng.random(item.size) < p.noise, NOISE, INTEREST).astype(np.int8)
    origin[burst_event] = BURST
    noise = np.flatnonzero(origin == NOISE)
    item[noise] = rng.choice(np.setdiff1d(np.arange(p.items), roles[:2]), noise.size)

    cue = causes.cues(p, baskets, interest, origin == INTEREST, ~np.isin(item, roles[2]), rng)
    item[cue.trigger_event], origin[cue.trigger_event] = roles[0, cue.trigger], TRIGGER
    item[cue.distractor_event], origin[cue.distractor_event] = roles[1, cue.distractor], DISTRACTOR
    item[cue.target_event], origin[cue.target_event] = roles[2, cue.trigger[cue.fired]], CAUSED

    user = baskets.user[event_basket]
    position = ranks(np.bincount(user, minlength=p.users))
    fired = {
        "trigger": cue.trigger_event[cue.fired],
        "distractor": cue.distractor_event[0, cue.fired],
        "target": cue.target_event,
    }
    truth["fired"] = pl.DataFrame(
        {
            "user": user[cue.target_event] + 1,
            **{f"{role}_position": position[event] for role, event in fired.items()},
            "lag": cue.lag,
            **{role: item[event] + 1 for role, event in fired.items()},
        }
    )
    truth["causes"] = causes.table(p, roles)
    truth["bursts"] = pl.DataFrame(
        {
            "user": baskets.user[baskets.burst] + 1,
            "basket": baskets.burst + 1,
            "position": position[baskets.begin[baskets.burst]],
            "interest": p.names[baskets.burst_interest],
        }
    )
    truth["origins"] = pl.DataFrame(
        {"user": user + 1, "position": position, "origin": pl.Series(ORIGINS).gather(origin)}
    )
    kind = rng.choice(len(p.kinds), item.size, p=p.kind_shares)
    return SyntheticLog(
        events=interactions(user, item, position, START + baskets.second[event_basket], event_basket, p.kinds, kind),
        items=pl.DataFrame(
            {
                "item_id": np.arange(1, p.items + 1),
                "title": [f"{name} item {i + 1:02d}" for name in p.names for i in range(p.items_per_interest)],
                "category": np.repeat(p.names, p.items_per_interest),
            }
        ),
        truth=truth,
        parameters={**dataclasses.asdict(p), "seed": seed, "start": START},
    )


def _mixes(p: Synthetic, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, pl.DataFrame]]:
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


@dataclass(frozen=True)
class Baskets:
    """All baskets by user and time, and which of them are bursts."""

    count: np.ndarray  # [users], baskets of each user
    user: np.ndarray  # [baskets]
    second: np.ndarray  # [baskets], since START
    size: np.ndarray  # [baskets], events
    begin: np.ndarray  # [baskets], flat index of the first event
    burst: np.ndarray  # [bursts], flat index of a basket
    burst_interest: np.ndarray  # [bursts]


def _baskets(p: Synthetic, mix: np.ndarray, rng: np.random.Generator) -> Baskets:
    """Baskets at uniform times; a burst is of an interest that never has an even share of its user's mix."""
    count = np.maximum(rng.poisson(p.baskets, p.users), 1)
    user = np.repeat(np.arange(p.users), count)
    moment = (np.sort(user + rng.random(user.size)) - user).clip(0, 1)  # sorted within each user
    second = (moment * (p.weeks * WEEK - count.max())).astype(np.int64) + ranks(count)  # + rank: no two are equal

    size = rng.integers(1, p.basket_size + 1, user.size)
    bursting = np.sort(rng.permutation(p.users)[: round(p.bursting * p.users)])
    burst = (np.cumsum(count) - count)[bursting] + (rng.random(bursting.size) * count[bursting]).astype(np.int64)
    size[burst] = p.basket_size
    peak = mix[bursting].max(axis=1)
    foreign = ((peak < 1 / p.interests) * (1 + rng.random(peak.shape)) - peak).argmax(axis=1)
    return Baskets(count, user, second, size, np.cumsum(size) - size, burst, foreign)
