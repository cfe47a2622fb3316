"""EASE: what users with like histories have, by one linear model of all items (Steck 2019).

Three lines of closed form here, a framework of recommenders elsewhere; the weights are scikit-learn's Ridge of each
item on the others (tests/baselines/test_ease.py).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from trajectory.baselines.next_item import Baseline
from trajectory.schema import Queries

MOST_ITEMS = 5_000  # the cost of learning grows with the cube of the catalogue
PENALTY = 1_000.0  # L2; 200 and 4,000 were worse for new items on validation


class Ease(Baseline):
    """Embarrassingly shallow autoencoder (Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data").

    An item's score is a weighted sum over the distinct items of the history; the weights predict, over all training
    histories, whether a user has an item from the other items. Order and number of events are not read.
    """

    name = "ease"

    def _learn(self, user: np.ndarray, index: np.ndarray) -> None:
        of_user = self._sets(user, index, self.histories.num_users)
        self.weight = weights((of_user.T @ of_user).toarray(), PENALTY).astype(np.float32)

    def scores(self, queries: Queries) -> np.ndarray:
        """Score of each item, float32 [n, V + 1]."""
        row, index = self._events(queries.start, queries.stop)
        return np.asarray(self._sets(row, index, len(queries.user)) @ self.weight)

    def _sets(self, row: np.ndarray, index: np.ndarray, count: int) -> sparse.csr_matrix:
        """Which distinct items each of `count` rows has, 0 or 1."""
        pairs = np.unique(row * self.width + self.histories.item[index])
        return sparse.csr_matrix((np.ones(len(pairs), np.float32), np.divmod(pairs, self.width)), (count, self.width))


def weights(gram: np.ndarray, penalty: float) -> np.ndarray:
    """Weight of each item (row) for each other one (column), float64 [V, V], in closed form (Steck 2019, equation 8).

    `gram` [V, V]: products of the items' columns, summed over users. Nothing speaks for itself.
    """
    inverse = np.linalg.inv(gram.astype(np.float64) + penalty * np.eye(len(gram)))
    weight = -inverse / np.diag(inverse)
    np.fill_diagonal(weight, 0.0)
    return weight
