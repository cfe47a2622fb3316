"""Rearrangements of a user's sessions that keep what is no migration: the season, and how alike neighbours are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

CHAINS = 100  # Markov chains of arrangements that run side by side
FITS = 12  # times that the memory is fitted anew
SWEEPS = 5  # of all chains between two fits
APART = 3  # sweeps between two kept arrangements of a chain
STRONGEST = 0.95  # memory: of a user whose every session repeats the one before nothing could change places


class Rearrangements:
    """Arrangements of a user's sessions [n, K] in an order that is as likely as without a migration.

    Without a migration a session's interests are drawn from the user's mix times the season [n, K] (multipliers at each
    session's time, log-likelihoods over `scale`) with probability 1 - memory, and from those of the session before with
    probability memory. Behaviour that leans on more than the session before is not kept.
    """

    def __init__(self, mass: np.ndarray, season: np.ndarray, scale: float, rng: np.random.Generator) -> None:
        self._rng, self._n = rng, len(mass)
        fit = mass / scale @ np.log(season).T  # of each session (row) at each time (column)
        self._fit = fit.astype(np.float32) if np.ptp(fit - fit.mean(1, keepdims=True)) > 1e-9 else None
        held = mass.any(0)
        own = mass[:, held].sum(0) / mass.sum()
        self._weight = (mass[:, held] / scale).astype(np.float32)
        self._lift = (mass[:, held] / mass.sum(1, keepdims=True) / own).astype(np.float32)  # over the user's mix
        self._alike = self._lift @ self._weight.T  # of a session (row) and the next (column)
        self._memory = 0.0

    def draw(self, count: int, memory: float) -> Iterator[np.ndarray]:
        """Which session stands at each time, int64 [at most CHAINS, n] at a time, `count` arrangements in all.

        Metropolis chains from the true order (conditional Monte Carlo tests by Markov chains, Besag & Clifford 1989).
        """
        self._memory = memory
        sizes = [min(CHAINS, count - done) for done in range(0, count, CHAINS)]
        if not memory and self._fit is None:  # every order is as likely
            for size in sizes:
                yield self._any_order(size)
            return
        order = np.tile(np.arange(self._n), (sizes[0], 1))
        self._sweep(order, FITS * SWEEPS)  # the chains forget the true order
        for size in sizes:
            self._sweep(order, APART)
            yield order[:size].copy()

    def memory(self, slots: np.ndarray) -> float:
        """The memory with which neighbours in arrangements are as alike as in truth; 0 where they are less so.

        They are compared with all pairs before a change and with all pairs after it, at the one of the `slots` that
        leaves least: what a migration makes alike is no memory.
        """
        truth = float(self._likeness(np.arange(self._n)[None], slots)[0])
        pairs = np.trace(self._alike) - self._alike.sum() / self._n
        span = max(
            float(pairs) * (self._n - 1) / self._n, 1e-6
        )  # what is gained if each session repeated the one before
        self._memory = self._bounded((truth - float(self._likeness(self._any_order(CHAINS), slots).mean())) / span)
        if not self._memory:
            return 0.0
        order, fitted = np.tile(np.arange(self._n), (CHAINS, 1)), []
        for _ in range(FITS):
            self._sweep(order, SWEEPS)
            missing = (truth - float(self._likeness(order, slots).mean())) / span
            self._memory = self._bounded(self._memory + missing / 2)
            fitted.append(self._memory)
        return float(np.mean(fitted[FITS // 2 :]))

    def _any_order(self, count: int) -> np.ndarray:
        return np.argsort(self._rng.random((count, self._n)), axis=1)

    def _likeness(self, order: np.ndarray, slots: np.ndarray) -> np.ndarray:
        """How much more alike neighbours are than any two on the same side of a change, summed over them, [P]."""
        near = self._alike[order[:, :-1], order[:, 1:]].sum(1)
        place = np.argsort(order, axis=1)[:, None]
        earlier = (place < slots[:, None]).astype(np.float32).reshape(-1, self._n)  # sums as one product of matrices
        lift, weight, same = (earlier @ part for part in (self._lift, self._weight, np.diagonal(self._alike)))
        before = np.einsum("ik,ik->i", lift, weight) - same
        after = np.einsum("ik,ik->i", self._lift.sum(0) - lift, self._weight.sum(0) - weight)
        after -= np.trace(self._alike) - same
        before, after = before.reshape(-1, len(slots)), after.reshape(-1, len(slots))
        return (near[:, None] - before / slots - after / (self._n - slots)).min(1)

    def _bounded(self, memory: float) -> float:
        return min(max(memory, 0.0), STRONGEST)

    def _sweep(self, order: np.ndarray, times: int) -> None:
        """Lets sessions of each arrangement change places, in place; swaps mix what is near, blocks what is far."""
        # Log-likelihood of a session (column) after another (row); the last row and column stand for no session.
        after = np.zeros((self._n + 1, self._n + 1), np.float32)
        after[:-1, :-1] = np.log(1 - self._memory + self._memory * self._lift) @ self._weight.T
        for _ in range(times):
            self._swap(order, after)
            self._exchange_blocks(order, after)

    def _swap(self, order: np.ndarray, after: np.ndarray) -> None:
        """Swaps of two sessions: places no two of which are neighbours, in pairs, the same for all arrangements."""
        places = np.cumsum(self._rng.integers(2, 4, self._n)) - 2
        places = self._rng.permutation(places[places < self._n])
        first, second = places[: len(places) // 2 * 2].reshape(2, -1)
        padded = self._padded(order)
        here, there = padded[:, first + 1], padded[:, second + 1]
        gain = np.zeros(here.shape, np.float32)
        for place, old, new in ((first, here, there), (second, there, here)):
            before, next_ = padded[:, place] * (self._n + 1), padded[:, place + 2]
            gain += _at(after, before + new) + _at(after, new * (self._n + 1) + next_)
            gain -= _at(after, before + old) + _at(after, old * (self._n + 1) + next_)
            if self._fit is not None:
                gain += _at(self._fit, new * self._n + place) - _at(self._fit, old * self._n + place)
        swap = self._rng.standard_exponential(gain.shape) > -gain
        order[:, first], order[:, second] = np.where(swap, there, here), np.where(swap, here, there)

    def _exchange_blocks(self, order: np.ndarray, after: np.ndarray) -> None:
        """Exchanges two blocks of sessions that follow each other, others in each arrangement."""
        begin, middle, end = np.sort(self._rng.integers(0, self._n + 1, (3, len(order))), axis=0)
        same = np.zeros_like(begin)
        further = np.stack([same, middle - begin, middle - end, same], axis=1)  # where a session comes from
        lengths = np.stack([begin, end - middle, middle - begin, self._n - end], axis=1)
        place, row = np.arange(self._n), np.arange(len(order))
        origin = np.repeat(further.ravel(), lengths.ravel()).reshape(order.shape) + place
        moved = _at(order, origin + row[:, None] * self._n)
        seams = self._padded(order)[row, np.stack([begin, begin + 1, middle, middle + 1, end, end + 1])]
        left, first, last, next_first, next_last, right = seams  # of no meaning where a block is empty
        gain = after[left, next_first] + after[next_last, first] + after[last, right]
        gain -= after[left, first] + after[last, next_first] + after[next_last, right]
        if self._fit is not None:
            gain += (_at(self._fit, moved * self._n + place) - _at(self._fit, order * self._n + place)).sum(1)
        taken = self._rng.standard_exponential(len(order)) > -gain
        order[taken] = moved[taken]

    def _padded(self, order: np.ndarray) -> np.ndarray:
        """No session before the first and none after the last."""
        padded = np.full((len(order), self._n + 2), self._n)
        padded[:, 1:-1] = order
        return padded


def _at(table: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Entries of a table by their number, row by row: half the time of indexing by row and column."""
    return table.ravel().take(number)
