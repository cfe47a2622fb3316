"""First item vectors from co-occurrence and content, so that training need not find out what lies beside what."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from trajectory.data.pipeline.co_occurrence import training_pairs
from trajectory.schema import Histories, Split

SMOOTHING = 0.75  # power of the counts of contexts
MORE = 10  # directions looked for beside those that are kept
ROUNDS = 5  # of power iteration
NEAREST = 10  # items of like content that count as neighbours
LIKENESS = 20.0  # information of a pair that is the same by its content; 10 and 30 are alike on validation
BLOCK = 2**26  # cosines at a time
DEVIATION = 0.02  # of random vectors, and the root mean square of the others


def first_vectors(histories: Histories, split: Split, width: int, content: np.ndarray | None = None) -> np.ndarray:
    """Vectors float32 [V + 1, width] whose products approximate how much likelier than by chance two items are near.

    The positive pointwise mutual information of pairs of training events near each other, weighted 1 / distance,
    factorised: eigenvectors x root of the eigenvalue (Levy & Goldberg 2014, "Neural word embedding as implicit matrix
    factorization", with the context counts to the power 0.75 of Levy, Goldberg & Dagan 2015). All vectors get the
    same length; items without neighbours get random ones. With `content`, unit vectors [V + 1, any] or zeros where
    nothing is known, what is most alike is informative of one another too: LIKENESS times the cosine.
    """
    rng = np.random.default_rng(0)
    information = _positive_information(training_pairs(histories, split))
    if content is not None:
        information += LIKENESS * _alike(content)
    values, directions = _leading(information, min(width, information.shape[0] - 1), rng)
    vectors = directions * np.sqrt(np.maximum(values, 0))
    vectors = np.pad(vectors, ((0, 0), (0, width - vectors.shape[1])))
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    lonely = length[:, 0] < 1e-6 * length.max(initial=1e-30)
    vectors[lonely] = rng.standard_normal((int(lonely.sum()), width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # Turned at random: the model's norms treat all coordinates alike, while eigenvectors come by weight.
    turn, _ = np.linalg.qr(rng.standard_normal((width, width)))
    return (DEVIATION * width**0.5 * vectors @ turn).astype(np.float32)


def _positive_information(both: sparse.csr_matrix) -> sparse.csr_matrix:
    """max(0, log of pairs over pairs expected by chance), symmetric, of different items; from counts of pairs."""
    pairs = both.tocoo()
    near = np.asarray(pairs.sum(axis=1)).ravel()
    context = near**SMOOTHING
    chance = near[pairs.row] * context[pairs.col] / max(context.sum(), 1e-30)
    value = np.log(np.maximum(pairs.data, 1e-30) / np.maximum(chance, 1e-30))
    kept = (value > 0) & (pairs.row != pairs.col)
    affinity = sparse.csr_matrix((value[kept], (pairs.row[kept], pairs.col[kept])), pairs.shape)
    return (affinity + affinity.T) / 2


def _alike(content: np.ndarray) -> sparse.csr_matrix:
    """Cosines of each item with its NEAREST others, symmetric; what is less than nothing alike counts as nothing."""
    count = len(content)
    nearest = min(NEAREST, count - 1)
    rows, columns, cosines = [], [], []
    for start in range(0, count, max(BLOCK // count, 1)):
        row = np.arange(start, min(start + max(BLOCK // count, 1), count))
        cosine = content[row] @ content.T
        cosine[row - start, row] = -np.inf
        column = np.argpartition(-cosine, nearest - 1, axis=1)[:, :nearest]
        rows.append(np.repeat(row, nearest))
        columns.append(column.ravel())
        cosines.append(np.take_along_axis(cosine, column, axis=1).ravel())
    value = np.maximum(np.concatenate(cosines), 0)
    pairs = sparse.csr_matrix((value, (np.concatenate(rows), np.concatenate(columns))), (count, count))
    return (pairs + pairs.T) / 2


def _leading(matrix: sparse.csr_matrix, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues and their vectors [n, count] of a symmetric matrix, approximately.

    Randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4): eigenvalues that hardly differ, of
    which there are many here, would keep an exact solver busy for long and are as good as one another.
    """
    size = matrix.shape[0]
    basis = rng.standard_normal((size, min(count + MORE, size)))
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(matrix @ basis)
    values, turn = np.linalg.eigh(basis.T @ (matrix @ basis))
    return values[-count:], basis @ turn[:, -count:]
