"""Who comes to a made-up shop, when, with which device and for which category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajectory.data.simulate.base import START, categorical
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.times import DAY, WEEK

SECOND = 1_000_000  # microseconds
# Share of sessions that begin in each hour of the day.
HOURS = np.array([1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 7, 6, 5, 5, 6, 7, 9, 10, 10, 8, 5, 2], float)
HALF = 1_800  # seconds: sessions begin in the first half of an hour, so that none lasts beyond the end of the log


@dataclass(frozen=True)
class Sessions:
    """S sessions. `item` is what is bought for sure (-1: the session browses its category)."""

    user: np.ndarray  # int64 [S], from 0; bots follow the customers
    device: np.ndarray  # int64 [S], from 0 within the user
    start: np.ndarray  # int64 [S], microseconds, unix
    category: np.ndarray  # int64 [S]
    item: np.ndarray  # int64 [S]

    @property
    def week(self) -> np.ndarray:
        """Week of the log, from 0, int64 [S]."""
        return (self.start // SECOND - START) // WEEK


def browsing(p: Shop, mix: np.ndarray, devices: np.ndarray, rng: np.random.Generator) -> Sessions:
    """Sessions of customers by their mix [users, weeks, interests], `devices` int64 [users]: how many each has."""
    rate = rng.gamma(p.activity, p.sessions / p.activity, p.users)
    user = np.repeat(np.arange(p.users), rng.poisson(rate * p.weeks))
    week = rng.integers(0, p.weeks, user.size)
    category = categorical(mix.reshape(-1, p.interests), user * p.weeks + week, rng)
    any_one = rng.random(user.size) < p.noise
    category[any_one] = rng.integers(0, p.interests, int(any_one.sum()))
    return Sessions(user, device_of(user, devices, rng), moments(week, rng), category, np.full(user.size, -1))


def moments(week: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A moment of each week, by the hours of the day, int64 microseconds."""
    day = rng.integers(0, 7, week.size)
    hour = categorical(HOURS[None], np.zeros(week.size, np.int64), rng)
    second = week * WEEK + day * DAY + hour * 3_600
    return (START + second) * SECOND + rng.integers(0, HALF * SECOND, week.size)


def device_of(user: np.ndarray, devices: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the user's devices, uniform."""
    return (rng.random(user.size) * devices[user]).astype(np.int64)


def ordering(
    user: np.ndarray, start: np.ndarray, item: np.ndarray, p: Shop, devices: np.ndarray, rng: np.random.Generator
) -> Sessions:
    """Sessions that buy one item for sure; those after the end of the log are left out."""
    inside = start < (START + p.weeks * WEEK - HALF) * SECOND
    user, start, item = user[inside], start[inside], item[inside]
    return Sessions(user, device_of(user, devices, rng), start, item // p.items_per_interest, item)


def of_bots(p: Shop, bots: int, rng: np.random.Generator) -> Sessions:
    """Sessions of bots, at any time of the log."""
    bot = np.repeat(np.arange(bots), rng.poisson(p.bot_sessions * p.weeks, bots))
    start = (START * SECOND) + rng.integers(0, (p.weeks * WEEK - HALF) * SECOND, bot.size)
    nothing = np.full(bot.size, -1)
    return Sessions(p.users + bot, np.zeros(bot.size, np.int64), start, nothing, nothing)
