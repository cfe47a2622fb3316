"""Where a migration goes from and to, and when: the pair of interests and the ramp that explain a user's sessions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.migrations.permutation_test import KEPT, dispersion

RAMPS = (0.0, 0.25, 0.5, 1.0, 2.0)  # of a window, time from the start of a migration until all of its mass has moved
GRID = 400  # start times that are compared, at most
LEVEL = 0.9  # of the interval of the start


class Place(NamedTuple):
    """A migration's interests (from 0) and times, in the unit of the sessions' moments."""

    source: int
    destination: int
    start: float  # median of the posterior
    low: float  # 90 % interval of the start
    high: float
    end: float  # median of the time at which all of the mass has moved


def locate(mass: np.ndarray, moment: np.ndarray, slots: np.ndarray, window: float) -> Place:
    """The most likely pair and times of a migration in a user's sessions [n, K] at moments [n].

    Pair: the split of the events of two interests between them differs before and after a change, other interests keep
    their shares; likelihood ratios are summed over change times (a flat prior), over the pair's dispersion. Times: the
    split moves linearly over a ramp; posterior over a grid of starts and ramps, flat, with the shares before and after
    the ramp plugged in.
    """
    scale = dispersion(mass)
    kept = np.argsort(-mass.sum(0), kind="stable")[:KEPT]
    kept = kept[mass[:, kept].any(0)]
    source, destination = _pair(mass[:, kept], slots, scale[kept])
    source, destination = int(kept[source]), int(kept[destination])
    pair = mass[:, [source, destination]]
    starts, ends, log = _ramps(pair, moment, slots, window)
    log = log / scale[[source, destination]].mean()
    posterior = np.exp(log - log.max())
    posterior /= posterior.sum()
    low, start, high = _quantiles(starts, posterior, ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    (end,) = _quantiles(ends, posterior, (0.5,))
    return Place(source, destination, start, low, high, end)


def _pair(mass: np.ndarray, slots: np.ndarray, scale: np.ndarray) -> tuple[int, int]:
    total = mass.sum(0)
    before = np.cumsum(mass, axis=0)[slots - 1]
    after = total - before

    def split(x: np.ndarray) -> np.ndarray:
        """Log-likelihood of how each pair's events are split, at its best share, [..., K, K]."""
        single, both = _x_log_x(x), _x_log_x(x[..., :, None] + x[..., None, :])
        return single[..., :, None] + single[..., None, :] - both

    gain = (split(before) + split(after) - split(total)) / ((scale[:, None] + scale) / 2)
    moves = before[:, :, None] * after[:, None, :] > before[:, None, :] * after[:, :, None]  # from row to column
    weight = np.where(moves, np.exp(gain - gain.max()), 0).sum(0)
    source, destination = np.unravel_index(int(weight.argmax()), weight.shape)
    return int(source), int(destination)


def _x_log_x(x: np.ndarray) -> np.ndarray:
    return x * np.log(np.maximum(x, 1e-12))


def _ramps(
    pair: np.ndarray, moment: np.ndarray, slots: np.ndarray, window: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end and log-likelihood of each ramp that lies within the slots, each [ramps]."""
    first, last = moment[slots[0] - 1], moment[slots[-1]]
    grid = np.linspace(first, last, int(min(GRID, max(2, last - first + 1))))
    starts = np.tile(grid, len(RAMPS))
    ends = starts + np.repeat(np.array(RAMPS) * window, len(grid))
    within = ends <= last
    starts, ends = starts[within], ends[within]
    so_far = np.concatenate([np.zeros((1, 2)), np.cumsum(pair, axis=0)])
    before = so_far[np.searchsorted(moment, starts)] + 0.5
    after = so_far[-1] - so_far[np.searchsorted(moment, ends)] + 0.5
    share_before, share_after = before[:, 0] / before.sum(1), after[:, 0] / after.sum(1)
    moved = np.clip((moment - starts[:, None]) / np.maximum(ends - starts, 1e-9)[:, None], 0, 1)
    share = share_before[:, None] + (share_after - share_before)[:, None] * moved
    return starts, ends, (np.log(share) * pair[:, 0] + np.log(1 - share) * pair[:, 1]).sum(1)


def _quantiles(values: np.ndarray, weight: np.ndarray, levels: tuple[float, ...]) -> list[float]:
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weight[order])
    at = np.searchsorted(cumulative, np.array(levels) * cumulative[-1])
    return [float(value) for value in values[order][np.minimum(at, len(values) - 1)]]
