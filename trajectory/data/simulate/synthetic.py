"""Logs with a known truth: planted migrations and causes. (`markov.py` makes logs that follow a known chain.)

How a planted log is made. Each event's interest is drawn from its user's mix of that week (base mix, then migration,
then season), or is that of an event of the basket before (`repeating`), its item from the interest's Zipf law; noise
and bursts replace some. Every event has one origin:

    interest     drawn from the mix, or repeated
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
from pathlib import Path

import numpy as np
import polars as pl

from trajectory.data.simulate import causes
from trajectory.data.simulate.base import START, SyntheticLog, categorical, interactions, ranks
from trajectory.data.simulate.mixes import mixes
from trajectory.data.simulate.planted import Baskets, Synthetic
from trajectory.data.times import WEEK

ORIGINS = ("interest", "noise", "burst", "trigger", "distractor", "caused")
INTEREST, NOISE, BURST, TRIGGER, DISTRACTOR, CAUSED = range(len(ORIGINS))
DEFAULT = Synthetic()


def write(parameters: Synthetic, folder: str | Path, seed: int = 0) -> None:
    """Writes the log of `generate(parameters, seed)` into a folder."""
    generate(parameters, seed).write(folder)


def generate(parameters: Synthetic = DEFAULT, seed: int = 0) -> SyntheticLog:
    """A planted log, the same for the same parameters and seed; raises UserError if no share gives the baseline.

    Truth tables: migrations (user, week, source, destination, mass), bursts (user, basket, position, interest),
    seasons (interest, phase), causes (trigger, target, distractor, interest, probability_with, probability_without,
    lag_min, lag_max), fired (user, trigger_position, distractor_position, target_position, lag, trigger, distractor,
    target; of several distractors the first), interest_mix (user, week, one column per interest), origins (user,
    position, origin).
    """
    p, rng = parameters, np.random.default_rng(seed)
    mix, truth = mixes(p, rng)
    roles = causes.roles_of(p)
    baskets = _baskets(p, mix, rng)

    event_basket = np.repeat(np.arange(baskets.size.size), baskets.size)
    row = (baskets.user * p.weeks + baskets.second // WEEK)[event_basket]
    interest = categorical(mix.reshape(-1, p.interests), row, rng)
    if p.repeating:
        interest = interest[_repeated(p, baskets, rng)]
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
    event_type = rng.choice(len(p.event_types), item.size, p=p.event_type_shares)
    return SyntheticLog(
        events=interactions(
            user, item, position, START + baskets.second[event_basket], event_basket, p.event_types, event_type
        ),
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


def _repeated(p: Synthetic, baskets: Baskets, rng: np.random.Generator) -> np.ndarray:
    """The event whose interest each event has: itself, or what one of the basket before has."""
    before = np.arange(baskets.user.size) - 1  # a user's first basket repeats none
    before[np.cumsum(baskets.count) - baskets.count] += 1
    event_basket = np.repeat(np.arange(baskets.size.size), baskets.size)
    chosen = before[event_basket]
    event = np.arange(event_basket.size)
    one = baskets.begin[chosen] + (rng.random(event.size) * baskets.size[chosen]).astype(np.int64)
    repeats = (chosen < event_basket) & (rng.random(event.size) < p.repeating)
    source = np.where(repeats, one, event)
    while (source[source] != source).any():
        source = source[source]
    return source


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
