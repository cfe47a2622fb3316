"""Migrations: lasting changes of a user's interest state that are larger than chance and season explain."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control
from tqdm.auto import tqdm

from trajectory import hints
from trajectory.data.pipeline.sessions import SESSION_TIMEOUT, session_starts
from trajectory.data.times import DAY
from trajectory.migrations import season, sessions
from trajectory.migrations.locate import Place, locate
from trajectory.migrations.permutation_test import SIDE, change_slots, evidence, fitted_memory
from trajectory.migrations.sessions import Sessions, event_moments, sessions_of, unit_of
from trajectory.migrations.states import divergence, smoothed
from trajectory.progress import bars_hidden
from trajectory.schema import Histories, UserError
from trajectory.threads import one_thread

SHARE = 0.75  # of the users, whose memory is taken for that of those who seem to have less
STEPS = 10.0  # window and lasting of a log without times


@dataclass(frozen=True)
class Settings:
    """How migrations are looked for; raises UserError for a number out of range."""

    window: float = 28.0  # days (steps, where the log has no time): the grain of seasons and of reported windows
    lasting: float = 28.0  # days (steps) of a user's behaviour before a change and after it, at least
    session_timeout: float = SESSION_TIMEOUT  # seconds between steps that end a session
    power: float = sessions.POWER  # a session of m events weighs m ** (1 - power)
    permutations: int = 1000  # of each user's sessions
    false_discovery_rate: float = 0.05  # false discoveries among the users that are said to migrate
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("window", "lasting"):
            if not 0 < getattr(self, name) < math.inf:
                raise UserError(f"{name}={getattr(self, name)}: expected more than 0 days (steps)")
        if not 0 <= self.session_timeout < math.inf:
            raise UserError(f"session_timeout={self.session_timeout}: expected 0 seconds or more")
        if self.permutations < 99:
            raise UserError(f"permutations={self.permutations}: expected at least 99, the default is 1000")
        if not 0 < (rate := self.false_discovery_rate) < 1:
            raise UserError(f"false_discovery_rate={rate}: expected a share between 0 and 1, such as 0.05")


@dataclass(frozen=True)
class Migrations:
    """What was found and what was asked.

    `moves`, one row per migration in the order of users: user, source, destination, start with its 90 % interval (low,
    high), end (all of the mass has moved) - datetimes, or step numbers where the log has no time -, window (of the
    start, from 0), mass (the smaller of the source's drop and the destination's rise, as a share), divergence
    (Jensen-Shannon, of the smoothed states before start and after end without season, bits), p_value, q_value and
    confidence (1 - q_value).
    `tested`, one row per user with enough sessions: user, sessions, memory (how far a session is taken to repeat the
    one before, 0 to 1), statistic, p_value, q_value.
    """

    moves: pl.DataFrame
    tested: pl.DataFrame
    sessions: Sessions
    season: np.ndarray  # [W, K], the population's multipliers
    settings: Settings

    @property
    def movers(self) -> np.ndarray:
        """Whose each of the found migrations is: row of the users, int64 [moves]."""
        row_of = {user: row for row, user in enumerate(self.sessions.histories.users["user"])}
        return np.array([row_of[user] for user in self.moves["user"]], np.int64)


def settings_for(histories: Histories, **given: float | None) -> Settings:
    """Settings for a log: `window` and `lasting` that are None or not given are 28 days, 10 steps if it has no times.

    Raises UserError, before any work is done, where no user's history is long enough, or as `Settings` does.
    """
    usual = {} if histories.has_time else dict.fromkeys(("window", "lasting"), STEPS)
    known = {name: value for name, value in given.items() if value is not None}
    settings = Settings(**(usual | known))  # type: ignore[arg-type] # of one type or another
    starts = session_starts(histories, settings.session_timeout)
    offsets, moment = np.searchsorted(starts, histories.offsets), event_moments(histories)[starts]
    for first, last in pairwise(offsets):
        if last - first >= 2 * SIDE and len(change_slots(moment[first:last], settings.lasting)):
            return settings
    raise UserError(_too_short(offsets, moment, unit_of(histories), settings))


@one_thread("blas")
def detect(histories: Histories, settings: Settings = Settings()) -> Migrations:
    """Finds each user's largest migration, if any, with the rate of false discoveries over users controlled.

    Each user's sessions, season taken out, are scanned for a transfer between interests and compared with permutations
    of the same sessions in which neighbours are as alike (`permutation_test.evidence`): as the user's own are on either
    side of a change, and at least as those of three quarters of the users, for few sessions tell little of one user.
    Benjamini & Hochberg (1995) then keeps the share of false ones among the found at `false_discovery_rate`, as far as
    without a migration a user's session leans on no more of the past than the session before. Raises UserError for a
    log without interests, or too short for anyone to be tested.
    """
    units = sessions_of(histories, settings.session_timeout, settings.power)
    multiplier = season.multipliers(units, settings.window)
    window = season.windows_of(units.moment, settings.window)
    plain = season.without_season(units.mass, multiplier, window)
    ids = histories.users["user"]
    slots = _slots(units, settings)
    number = np.array(list(slots))
    memory, statistic, p_value = _tested(units, plain, multiplier[window], slots, settings)
    q_value = false_discovery_control(p_value)
    moves = []
    for row in np.flatnonzero(q_value <= settings.false_discovery_rate):
        at = slice(units.offsets[number[row]], units.offsets[number[row] + 1])
        mass, moment = plain[at].toarray(), units.moment[at]
        place = locate(mass, moment, change_slots(moment, settings.lasting), settings.window)
        moves.append({"row": row, **place._asdict(), **_size(mass, moment, place)})
    table = pl.DataFrame({"user": ids.gather(number), "p_value": p_value, "q_value": q_value})
    return Migrations(
        _described(moves, table, units, settings.window),
        table.with_columns(
            sessions=pl.Series(np.diff(units.offsets)[number]), statistic=statistic, memory=memory
        ).select("user", "sessions", "memory", "statistic", "p_value", "q_value"),
        units,
        multiplier,
        settings,
    )


def _slots(units: Sessions, settings: Settings) -> dict[int, np.ndarray]:
    """The change times that are looked at of each user who has enough sessions. UserError if nobody has."""
    slots = {}
    for user, (first, last) in enumerate(pairwise(units.offsets)):
        moment = units.moment[first:last]
        if len(moment) >= 2 * SIDE and len(changes := change_slots(moment, settings.lasting)):
            slots[user] = changes
    if not slots:
        raise UserError(_too_short(units.offsets, units.moment, units.unit, settings))
    return slots


def _tested(
    units: Sessions, plain: csr_array, season: np.ndarray, slots: dict[int, np.ndarray], settings: Settings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Memory, statistic and p-value of each user of `slots`; `season` [S, K] are the multipliers of each session."""
    ids = units.histories.users["user"]

    def of_user(user: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
        """Mass, season, slots, and chance by the user's id, so that it does not depend on who else is in the log."""
        at = slice(units.offsets[user], units.offsets[user + 1])
        own = plain[at].sum(0) / plain[at].sum()
        rng = np.random.default_rng([settings.seed, zlib.crc32(str(ids[user]).encode())])
        return units.mass[at].toarray(), season[at] / (season[at] @ own)[:, None], slots[user], rng

    def users(text: str) -> Iterable[int]:
        return tqdm(slots, desc=text, unit="user", delay=2, disable=bars_hidden())

    memory = np.array([fitted_memory(*of_user(user)) for user in users("sessions like the one before")])
    memory = np.maximum(memory, np.quantile(memory, SHARE))
    tests = []
    for user, kept in zip(users("migrations"), memory.tolist(), strict=True):
        mass, factor, changes, rng = of_user(user)
        tests.append(evidence(mass, factor, changes, kept, settings.permutations, rng))
    statistic, p_value = (np.array(column) for column in zip(*tests, strict=True))
    return memory, statistic, p_value


def _size(mass: np.ndarray, moment: np.ndarray, place: Place) -> dict[str, float]:
    before, after = mass[moment < place.start].sum(0), mass[moment >= place.end].sum(0)
    change = after / after.sum() - before / before.sum()
    return {
        "mass": max(float(min(-change[place.source], change[place.destination])), 0.0),
        "divergence": float(divergence(smoothed(before, mass.mean(0)), smoothed(after, mass.mean(0)))),
    }


def _too_short(offsets: np.ndarray, moment: np.ndarray, unit: str, settings: Settings) -> str:
    """Why nobody can be tested, and what may help."""
    most = int(np.diff(offsets).max(initial=0))
    wanted = f"expected a user with {SIDE} sessions and {settings.lasting:g} {unit} before a change and as much after"
    if most < 2 * SIDE:
        return (
            f"{wanted}, but no user has more than {most} sessions (events less than "
            f"session_timeout={settings.session_timeout:g} seconds apart are one): a longer log is needed, or a "
            "smaller `session_timeout` where days hold several visits"
        )
    return (
        f"{wanted}, but nobody has them in the log's {np.ptp(moment):.0f} {unit}; set a smaller `lasting` "
        f"({hints.argument('lasting')}, in {unit})"
    )


def _described(moves: list[dict[str, float]], tested: pl.DataFrame, units: Sessions, window: float) -> pl.DataFrame:
    """The found migrations with ids, names and dates for numbers."""
    numbers = ("row", "source", "destination")
    columns = (*Place._fields, "mass", "divergence")
    schema = {name: pl.Int64 if name in numbers else pl.Float64 for name in ("row", *columns)}
    table = pl.DataFrame(moves, schema=schema)
    names = pl.Series("interest", units.histories.interests, pl.String)
    times = ("start", "low", "high", "end")
    if units.histories.has_time:
        first = int(units.histories.time.min())
        moments = [
            pl.from_epoch((pl.col(name) * DAY + first).round().cast(pl.Int64), time_unit="s").alias(name)
            for name in times
        ]
    else:
        moments = [pl.col(name).round().cast(pl.Int64) for name in times]
    return (
        pl.concat([tested[table["row"].to_list()], table.drop("row")], how="horizontal")
        .with_columns(
            *moments,
            pl.Series("source", names.gather(table["source"])),
            pl.Series("destination", names.gather(table["destination"])),
            window=(pl.col("start") // window).cast(pl.Int64),
            confidence=1 - pl.col("q_value"),
        )
        .select(
            "user", "source", "destination", *times, "window", "mass", "divergence", "p_value", "q_value", "confidence"
        )
    )
