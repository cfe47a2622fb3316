"""Windows packed into rows, several to a row, so that hardly a position is padding."""

from __future__ import annotations

import numpy as np


def pack(size: np.ndarray, targets: np.ndarray, length: int, slots: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best fit in the given order: windows of `size` events and `targets` slots into rows of `length` and `slots`.

    Returns row, column (first event place) and first target slot of each window, int64 [W]. Deterministic.
    """
    rows: list[int] = []
    columns: list[int] = []
    first_slots: list[int] = []
    open_rows: list[list[int]] = [[] for _ in range(length + 1)]  # by free places
    nonempty = 0  # bit f is set where a row with f free places is open
    used: list[int] = []  # target slots used of each row
    free: list[int] = []
    for need, need_slots in zip(size.tolist(), targets.tolist(), strict=True):
        candidates = nonempty >> need << need
        row = -1
        while candidates:
            space = (candidates & -candidates).bit_length() - 1
            if used[open_rows[space][-1]] + need_slots <= slots:
                row = open_rows[space].pop()
                if not open_rows[space]:
                    nonempty &= ~(1 << space)
                break
            candidates &= candidates - 1
        if row < 0:
            row = len(used)
            used.append(0)
            free.append(length)
        rows.append(row)
        columns.append(length - free[row])
        first_slots.append(used[row])
        used[row] += need_slots
        free[row] -= need
        if free[row]:
            open_rows[free[row]].append(row)
            nonempty |= 1 << free[row]
    return np.array(rows, np.int64), np.array(columns, np.int64), np.array(first_slots, np.int64)


def cut_windows(
    start: np.ndarray, length: np.ndarray, longest: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Slices into windows of at most `longest`, long ones at a random phase; every event is in one window.

    Returns start and length of each window, int64 [W], in the order of the slices.
    """
    phase = np.where(length > longest, rng.integers(1, longest + 1, len(length)), longest)
    # Window 0 has `phase` events, the others `longest`; the last one what is left.
    count = np.where(length > 0, 1 + -(-np.maximum(length - phase, 0) // longest), 0)
    slice_of = np.repeat(np.arange(len(start)), count)
    number = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    begin = np.where(number > 0, phase[slice_of] + (number - 1) * longest, 0)
    stop = np.minimum(phase[slice_of] + number * longest, length[slice_of])
    return start[slice_of] + begin, stop - begin
