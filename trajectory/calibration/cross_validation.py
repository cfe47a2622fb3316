"""Which of several forms of a fit does best on users that it was not fitted on.

Folds are of users, as scikit-learn's GroupKFold makes them. Shuffled, its draw hangs on NumPy's old generator: the
one line here keeps every calibration that was ever fitted with a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Fitted = TypeVar("Fitted")


def held_out_losses(
    forms: Sequence[str],
    fit: Callable[[str, np.ndarray], Fitted],
    loss: Callable[[Fitted, np.ndarray], np.ndarray],
    user: np.ndarray,
    folds: int,
    seed: int,
) -> dict[str, float]:
    """Mean loss of each form over all rows, each row judged by a fit on the folds without its user.

    `fit(form, rows)` gets int indices of rows, `loss(fitted, rows)` gives a value per row; `user` [n] = whose row it
    is. Raises ValueError if there are fewer users than folds, or fewer than 2 folds.
    """
    _, number = np.unique(user, return_inverse=True)
    users = int(number.max()) + 1
    if not 2 <= folds <= users:
        raise ValueError(f"expected 2 folds or more and a user for each, got {folds} folds and {users} users")
    fold = np.random.default_rng(seed).permutation(users)[number] % folds
    parts = [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(folds)]
    return {form: sum(float(loss(fit(form, rest), own).sum()) for rest, own in parts) / len(number) for form in forms}
