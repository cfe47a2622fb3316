"""Migrations of the whole population: who flows from where to where, what grows and shrinks, how long it takes."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import beta, chi2, false_discovery_control
from scipy.stats import t as student

from trajectory.data.times import DAY
from trajectory.migrations.migration import Migrations
from trajectory.migrations.permutation_test import change_slots, log_likelihood_ratios
from trajectory.migrations.season import windows_of
from trajectory.migrations.sessions import Sessions

LEVEL = 0.95  # of all intervals
ROUNDS = 200  # of the fit of independence


def migration_matrix(moves: pl.DataFrame) -> pl.DataFrame:
    """Users that migrated between each pair of interests, against chance, most users first.

    Columns source, destination, users, mass (mean), expected, lift (users / expected), low, high. `expected`: had each
    source's users gone to destinations in proportion to all arrivals, never back to the source itself
    (quasi-independence, Goodman 1968). low, high: the exact 95 % interval of a Poisson count (Garwood 1936) over
    `expected`.
    """
    names = pl.concat([moves["source"], moves["destination"]]).unique().sort()
    number = {name: i for i, name in enumerate(names)}
    source, destination = (
        np.array([number[name] for name in moves[column]], np.int64) for column in ("source", "destination")
    )
    users = np.zeros((len(names), len(names)))
    np.add.at(users, (source, destination), 1)
    mass = np.zeros_like(users)
    np.add.at(mass, (source, destination), moves["mass"].to_numpy())
    expected = quasi_independent(users)
    source, destination = np.nonzero(users)
    count, chance = users[source, destination], np.maximum(expected[source, destination], 1e-12)
    table = {
        "source": names.gather(source),
        "destination": names.gather(destination),
        "users": count.astype(np.int64),
        "mass": mass[source, destination] / count,
        "expected": chance,
        "lift": count / chance,
        "low": chi2.ppf((1 - LEVEL) / 2, 2 * count) / 2 / chance,
        "high": chi2.ppf((1 + LEVEL) / 2, 2 * count + 2) / 2 / chance,
    }
    return pl.DataFrame(table).sort("users", "lift", "source", "destination", descending=[True, True, False, False])


def quasi_independent(users: np.ndarray) -> np.ndarray:
    """The table with the same sums of rows and columns and a product form off its empty diagonal."""
    fitted = 1.0 - np.eye(len(users))
    for _ in range(ROUNDS):
        fitted *= (users.sum(1) / np.maximum(fitted.sum(1), 1e-12))[:, None]
        fitted *= users.sum(0) / np.maximum(fitted.sum(0), 1e-12)
    return fitted


def net_flows(moves: pl.DataFrame) -> pl.DataFrame:
    """Users that migrated to and from each interest, largest gain first.

    Columns interest, arrived, left, net (arrived - left), low, high: the exact 95 % interval (Clopper & Pearson 1934)
    of the share of arrivals among the interest's movers, as a net number of as many movers.
    """
    moves = pl.concat(
        [
            moves.select(interest="destination", arrived=pl.lit(1), left=pl.lit(0)),
            moves.select(interest="source", arrived=pl.lit(0), left=pl.lit(1)),
        ]
    )
    table = moves.group_by("interest").agg(pl.col("arrived", "left").sum().cast(pl.Int64))
    arrived, left = table["arrived"].to_numpy(), table["left"].to_numpy()
    low = np.where(arrived > 0, beta.ppf((1 - LEVEL) / 2, np.maximum(arrived, 1), left + 1), 0)
    high = np.where(left > 0, beta.ppf((1 + LEVEL) / 2, arrived + 1, np.maximum(left, 1)), 1)
    return table.with_columns(
        net=pl.col("arrived") - pl.col("left"),
        low=(2 * low - 1) * (arrived + left),
        high=(2 * high - 1) * (arrived + left),
    ).sort("net", "interest", descending=[True, False])


def growth(sessions: Sessions, period: float) -> pl.DataFrame:
    """How each interest's share of the population changes from each period to the next, fastest growing first.

    Columns period (from 1: the first has none before it), interest, before, share, change (share - before), low, high,
    q_value (of a t-test that nothing changed, over all periods and interests: Benjamini & Hochberg 1995).
    Shares are means over the users with sessions in both periods, so that new users do not count as change; low, high:
    95 % interval of the mean change over users, normal. `period` in days (steps); a last one less than half of which is
    in the log is left out. Seasons are part of growth.
    """
    at, interests = windows_of(sessions.moment, period), sessions.histories.interests
    user, tables = sessions.user, []
    for now in range(1, round(float(sessions.moment.max()) / period)):
        before, after = (_shares(sessions, user, at == window) for window in (now - 1, now))
        both = (before.sum(1) > 0) & (after.sum(1) > 0)
        if both.sum() < 2:
            continue
        change = (after - before)[both]
        error = change.std(0, ddof=1) / np.sqrt(both.sum())
        margin = 1.96 * error
        mean = change.mean(0)
        columns = {"before": before[both].mean(0), "share": after[both].mean(0), "change": mean}
        tables.append(
            pl.DataFrame(
                {
                    "interest": interests,
                    **columns,
                    "low": mean - margin,
                    "high": mean + margin,
                    "q_value": p_of_no_change(mean, error, int(both.sum())),
                }
            ).with_columns(period=pl.lit(now, pl.Int64))
        )
    names = ("period", "interest", "before", "share", "change", "low", "high", "q_value")
    types = {name: pl.Float64 for name in names} | {"period": pl.Int64, "interest": pl.String}
    table = pl.concat(tables).select(names) if tables else pl.DataFrame(schema=types)
    if table.height:
        table = table.with_columns(q_value=pl.Series(false_discovery_control(table["q_value"].to_numpy())))
    return table.sort("period", "change", descending=[False, True])


def p_of_no_change(mean: np.ndarray, error: np.ndarray, users: int) -> np.ndarray:
    """p-values [K] of a t-test that mean changes over so many users are 0; 1 where no user changed, or of one user."""
    if users < 2:
        return np.ones(len(mean))
    return np.where(mean == 0, 1.0, 2 * student.sf(np.abs(mean) / np.maximum(error, 1e-300), users - 1))


def _shares(sessions: Sessions, user: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Each user's shares of interests in the chosen sessions, [N, K]; zeros for users without any."""
    mass = np.zeros((len(sessions.offsets) - 1, sessions.mass.shape[1]))
    part = sessions.mass[np.flatnonzero(chosen)].tocoo()
    np.add.at(mass, (user[chosen][part.coords[0]], part.coords[1]), part.data)
    return mass / np.maximum(mass.sum(1, keepdims=True), 1e-12)


def lead_times(migrations: Migrations) -> pl.DataFrame:
    """How long each found migration took, in days (steps): user, source, destination, first_to_end, ramp, drop_to_rise.

    `first_to_end`: from the user's first session that holds the destination until all of the mass has moved. `ramp`:
    from start to end. `drop_to_rise`: from the best change time of the source's share alone to that of the
    destination's alone (each by its likelihood ratio); above 0 the source was left first.
    """
    units, moves = migrations.sessions, migrations.moves
    number = {name: i for i, name in enumerate(units.histories.interests)}
    end = moments_of(moves["end"], units)
    ramp = end - moments_of(moves["start"], units)
    first_to_end, drop_to_rise = [], []
    pairs = zip(migrations.movers, moves["source"], moves["destination"], strict=True)
    for i, (user, source, destination) in enumerate(pairs):
        at = slice(units.offsets[user], units.offsets[user + 1])
        mass, moment = units.mass[at].toarray(), units.moment[at]
        pair = mass[:, [number[source], number[destination]]]
        first_to_end.append(end[i] - moment[np.flatnonzero(pair[:, 1])[0]])
        slots = change_slots(moment, migrations.settings.lasting)
        share = np.cumsum(mass.sum(1))[slots - 1, None] / mass.sum()
        change = log_likelihood_ratios(np.cumsum(pair, axis=0)[slots - 1], share, pair.sum(0)) * (1, -1)
        left, arrived = (moment[slots - 1] + moment[slots])[change.argmax(0)] / 2
        drop_to_rise.append(arrived - left)
    return moves.select("user", "source", "destination").with_columns(
        first_to_end=pl.Series(first_to_end, dtype=pl.Float64),
        ramp=pl.Series(ramp, dtype=pl.Float64),
        drop_to_rise=pl.Series(drop_to_rise, dtype=pl.Float64),
    )


def moments_of(times: pl.Series, units: Sessions) -> np.ndarray:
    """Times of a table of migrations as moments of the sessions, float64."""
    if not units.histories.has_time:
        return times.cast(pl.Float64).to_numpy()
    return (times.dt.epoch("s").to_numpy() - int(units.histories.time.min())) / DAY
