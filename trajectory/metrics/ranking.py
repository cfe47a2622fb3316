"""Full-catalogue ranking: ranks by counting, metrics per user, and the loop that evaluates any `Scorer`.

Own code, as ranx, ir_measures and scikit-learn break ties by position or average gains over them, know no seen items,
and want lists cut off before. Without ties and seen items metrics are scikit-learn's (tests/metrics/test_ranking.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.featurize import slices
from trajectory.data.store.union import item_and_user_domains
from trajectory.progress import progress
from trajectory.protocols import Scorer
from trajectory.schema import Histories, Queries, UserError

COVERAGE_CUTOFF = 10
MANY = 32  # targets of a row from which on sorting its scores is faster than counting for each target
AHEAD = 1  # chunks under way on the device while the host makes the next one


class Result(NamedTuple):
    """What one scorer reached: `per_user` [n] per metric (NaN where a user does not count), `overall` numbers."""

    per_user: dict[str, np.ndarray]
    overall: dict[str, float]  # catalogue_coverage@10: it has no value per user

    def means(self) -> dict[str, float]:
        """Each metric's mean over the users that count; a metric for which nobody counts is absent."""
        metrics = {name: value for name, value in self.per_user.items() if np.isfinite(value).any()}
        return {name: float(np.nanmean(value)) for name, value in metrics.items()} | self.overall


def ranks(scores: Any, targets: Any, seen: Any = None) -> np.ndarray:
    """Rank of each target among the candidates, by counting; ties get their expected rank under random order.

    `scores` [n, V + 1] (jax or numpy; float64 is compared as float64), `targets` int32 [n, M] (0 = none), `seen`
    int32 [n, S] (0 = padding; repeated and cold items do no harm). Returns float32 [n, M]: 1 + candidates with a
    greater score + half of the other candidates with an equal one. Candidates are items 1..V without the seen ones and
    those of score -inf, as in the lists of `top_k`: a target that is none, a cold one (index > V) and an empty slot get
    infinity. Raises ValueError if a score is NaN.
    """
    if isinstance(scores, np.ndarray) and seen is None and np.shape(targets)[1] >= MANY:
        return _sorted_ranks(scores, np.asarray(targets))
    once = None if seen is None else np.where(_first_occurrence(np.asarray(seen)), seen, 0)
    result, _, broken = _start_ranks(scores, targets, once)
    _refuse_nan(broken)
    return np.asarray(result)


def top_k(scores: Any, seen: Any = None, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """The k best candidates of each row and their scores, best first: items int32 [n, k], scores float32 [n, k].

    Arguments as for `ranks`. Slots beyond the last candidate hold item 0 and score -inf. Equal scores come in item
    order, so use `ranks`, never this, to measure accuracy. Raises ValueError if a score is NaN.
    """
    items, values = _finish_top_k(*_start_top_k(scores, seen, k))
    missing = ((0, 0), (0, k - items.shape[1]))
    return np.pad(items, missing), np.pad(values, missing, constant_values=-np.inf)


def metrics(ranks: Any, targets: Any, cutoffs: Sequence[int]) -> dict[str, np.ndarray]:
    """Hit rate, recall, NDCG and reciprocal rank at each cutoff, per user: float64 [n]; NaN for a user without target.

    `ranks` [n, M] as from the function of that name, `targets` [n, M] (0 = none; repeated items count once). hr@k: at
    least one hit; recall@k: share of the relevant items with rank <= k; ndcg@k: binary gains against the ideal order
    of min(k, number relevant) items (Järvelin & Kekäläinen 2002); mrr@k: 1 / best rank, 0 beyond k. For one target
    recall = hr.
    """
    relevant = _first_occurrence(np.asarray(targets))
    rank = np.where(relevant, np.asarray(ranks, np.float64), np.inf)
    count = relevant.sum(axis=1)
    counted = np.where(count > 0, 1.0, np.nan)
    best = rank.min(axis=1, initial=np.inf)
    gain = 1 / np.log2(rank + 1)
    ideal = np.concatenate([[np.nan], np.cumsum(1 / np.log2(np.arange(rank.shape[1]) + 2))])
    result = {}
    for k in cutoffs:
        hit = rank <= k
        result[f"hr@{k}"] = counted * (best <= k)
        result[f"recall@{k}"] = counted * hit.sum(axis=1) / np.maximum(count, 1)
        result[f"ndcg@{k}"] = (gain * hit).sum(axis=1) / ideal[np.minimum(k, count)]
        result[f"mrr@{k}"] = counted * np.where(best <= k, 1 / best, 0)
    return result


def interest_accuracy(scores: Any, interests: np.ndarray) -> np.ndarray:
    """Is the best-scored interest among those of the target step: float64 [n]; NaN where the step has none.

    `scores` [n, K + 1] (column 0 ignored), `interests` int [n, M] (0 = none). Equal best scores share the credit,
    which is what a random choice among them is expected to get. Raises ValueError if a score is NaN.
    """
    score = np.asarray(scores)[:, 1:]
    _refuse_nan(np.isnan(score).any())
    wanted = np.zeros((len(score), score.shape[1] + 1), bool)
    np.put_along_axis(wanted, interests, True, axis=1)
    wanted = wanted[:, 1:]
    best = score == score.max(axis=1, keepdims=True)
    return np.where(wanted.any(axis=1), (best & wanted).sum(axis=1) / best.sum(axis=1), np.nan)


def evaluate_scorer(
    scorer: Scorer,
    histories: Histories,
    queries: Queries,
    config: ConfigDict,
    *,
    coverage: bool = True,
    label: str = "",
    cold: np.ndarray | None = None,
) -> Result:
    """Metrics of `scorer` on `queries`, at `config.cutoffs`, seen items as `config.seen` says (`config.evaluation`).

    They are those of the lists that are delivered: where seen items leave, a target that the history holds is a miss.
    Only `loss` is of the scorer's whole distribution, seen items included.
    Where steps are baskets, also each metric over the relevant items that the history holds (`..._repeat`) and over
    the others (`..._explore`); with `cold` bool [V + 1] over those of its items (`..._cold`). Every query has the same
    weight. Of several domains' items only those of the user's own are candidates, for any scorer. `coverage=False`
    saves the time of catalogue_coverage@10.
    Raises ValueError on NaN scores or an unknown `config.seen`.
    """
    if config.seen not in ("filter", "keep"):
        raise UserError(f"expected evaluation.seen 'filter' or 'keep', got {config.seen!r}")
    total = len(queries.user)
    if total == 0:
        raise ValueError("expected at least one query, got none: the split left no user to evaluate")
    size = min(config.batch, scorer.batch or config.batch, total)
    # Like sizes together: a chunk costs what its largest target set and its longest history cost.
    order = np.lexsort((queries.stop - queries.start, queries.end - queries.stop))
    queries = Queries(*(column[order] for column in queries))
    chunks = progress(queries.chunks(size), label, -(-total // size))
    covered = np.zeros(histories.num_items + 1, bool)
    domains = item_and_user_domains(histories)
    parts: list[dict[str, np.ndarray]] = []
    begun: deque[_Chunk] = deque()
    single = True
    for chunk in chunks:
        begun.append(_begin(scorer, histories, chunk, size, config, coverage, domains))
        single &= bool(((begun[-1].targets > 0).sum(axis=1) <= 1).all())
        if len(begun) > AHEAD:
            parts.append(_finish(begun.popleft(), histories, config, covered, cold))
    while begun:
        parts.append(_finish(begun.popleft(), histories, config, covered, cold))
    back = np.argsort(order)
    per_user = {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}
    if single and not histories.baskets:  # recall would repeat the hit rate
        per_user = {name: value for name, value in per_user.items() if not name.startswith("recall@")}
    ranked = any(name.startswith("hr@") for name in per_user)
    share = {f"catalogue_coverage@{COVERAGE_CUTOFF}": float(covered[1:].mean())} if coverage and ranked else {}
    return Result(per_user, share)


class _Chunk(NamedTuple):
    """Queries whose scores are under way: the device works while the host goes on."""

    queries: int  # real ones; what is beyond is padding
    targets: np.ndarray
    history: np.ndarray | None  # known where there are ranks
    ranks: tuple[Any, Any, Any] | None  # rank, own score, is a score NaN
    log_probabilities: bool
    best: tuple[Any, Any, Any] | None
    interest: Any


def _begin(
    scorer: Scorer,
    histories: Histories,
    chunk: Queries,
    size: int,
    config: ConfigDict,
    coverage: bool,
    domains: tuple[np.ndarray, np.ndarray] | None,
) -> _Chunk:
    n = len(chunk.user)
    padded = Queries(*(np.pad(column, (0, size - n), mode="edge") for column in chunk))  # one shape compiles once
    targets = distinct_items(histories, padded.stop, padded.end)
    scores, interest = scorer.score(padded)
    history, ranks, best = None, None, None
    if scores is not None:
        if domains is not None:
            of_item, of_user = domains
            scores = of_own_domain(scores, of_item, of_user[padded.user], scorer.log_probabilities)
        history = distinct_items(histories, padded.start, padded.stop, least=64)
        seen = history if config.seen == "filter" else None
        ranks = _start_ranks(scores, targets, seen)
        best = _start_top_k(scores, seen, COVERAGE_CUTOFF) if coverage else None
    return _Chunk(n, targets, history, ranks, scorer.log_probabilities, best, interest if histories.interests else None)


def _finish(
    chunk: _Chunk, histories: Histories, config: ConfigDict, covered: np.ndarray, cold: np.ndarray | None
) -> dict[str, np.ndarray]:
    targets = chunk.targets
    part: dict[str, np.ndarray] = {}
    if chunk.ranks is not None and chunk.history is not None:
        rank, own, broken = map(np.asarray, chunk.ranks)
        _refuse_nan(broken)
        part |= metrics(rank, targets, config.cutoffs)
        groups = {}
        if histories.baskets:
            repeat = contains(chunk.history, targets)
            groups = {"repeat": repeat, "explore": ~repeat}
        if cold is not None:
            groups["cold"] = (targets < len(cold)) & cold[np.minimum(targets, len(cold) - 1)]
        for suffix, chosen in groups.items():
            subset = metrics(rank, np.where(chosen, targets, 0), config.cutoffs)
            part |= {f"{name}_{suffix}": value for name, value in subset.items()}
        if chunk.log_probabilities:
            known = (targets > 0) & (targets <= histories.num_items)
            number = known.sum(1)
            part["log_loss"] = np.where(number > 0, -np.where(known, own, 0).sum(1) / np.maximum(number, 1), np.nan)
    if chunk.best is not None:
        covered[_finish_top_k(*chunk.best)[0]] = True
    if chunk.interest is not None:
        part["interest_accuracy"] = interest_accuracy(chunk.interest, histories.item_interest[targets])
    return {name: value[: chunk.queries] for name, value in part.items()}


def of_own_domain(scores: Any, of_item: np.ndarray, of_user: np.ndarray, log_probabilities: bool) -> jax.Array:
    """Scores [n, V + 1], -inf for items of other domains than the user's; `log_probabilities` add up to 1 in it."""
    with _precision(scores):
        return _of_own_domain(jnp.asarray(scores), of_item, of_user, log_probabilities)


@partial(jax.jit, static_argnums=3)
def _of_own_domain(scores: jax.Array, of_item: jax.Array, of_user: jax.Array, log_probabilities: bool) -> jax.Array:
    own = jnp.where(of_item == of_user[:, None], scores, -jnp.inf)
    return own - jax.nn.logsumexp(own, axis=1, keepdims=True) if log_probabilities else own


def distinct_items(histories: Histories, start: np.ndarray, stop: np.ndarray, least: int = 1) -> np.ndarray:
    """The distinct items of each slice's target events (`Histories.target_item`), int32 [n, M] padded with 0.

    M is the smallest `least` x power of two that holds them all, so that few shapes are compiled.
    """
    row, index = slices(start, stop)
    base = len(histories.item_interest)
    row, item = np.divmod(np.unique(row * base + histories.target_item[index]), base)
    row, item = row[item > 0], item[item > 0]
    count = np.bincount(row, minlength=len(start))
    width = least << max(-(-int(count.max(initial=1)) // least) - 1, 0).bit_length()
    padded = np.zeros((len(start), width), np.int32)
    padded[row, np.arange(len(row)) - (np.cumsum(count) - count)[row]] = item
    return padded


def _sorted_ranks(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """`ranks` of many targets where all items are candidates, from each row's scores in order."""
    width = scores.shape[1]
    own = np.take_along_axis(scores, np.where(targets < width, targets, 0), axis=1)
    possible = (targets > 0) & (targets < width) & (own > -np.inf)
    candidates = np.sort(scores[:, 1:], axis=1)
    _refuse_nan(np.isnan(candidates[:, -1:]).any())  # NaN is sorted last
    rank = np.full(targets.shape, np.inf, np.float32)
    for row, columns in enumerate(possible):
        value = own[row, columns]
        not_above, below = (candidates[row].searchsorted(value, side) for side in ("right", "left"))
        rank[row, columns] = width - 1 - (not_above + below - 1) / 2
    return rank


def _start_ranks(scores: Any, targets: Any, seen: Any) -> tuple[Any, Any, Any]:
    """Ranks, the targets' own scores, and whether a score is NaN: dispatched, not waited for. `seen` has no repeats."""
    with _precision(scores):
        return _ranks(jnp.asarray(scores), jnp.asarray(targets), _seen(seen, len(targets)))


@jax.jit
def _ranks(scores: jax.Array, targets: jax.Array, seen: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    width = scores.shape[1]
    rows = jnp.arange(len(scores))[:, None]
    column = jnp.where((targets > 0) & (targets < width), targets, width)  # width = out of range: not read
    own = scores.at[rows, column].get(mode="fill", fill_value=0)
    seen_scores = scores.at[rows, seen].get(mode="fill", fill_value=0)
    counts = (seen > 0) & (seen < width)  # others are no candidates in any case
    had = (seen[:, :, None] == targets[:, None]).any(axis=1)
    possible = (column < width) & ~had & (own > -jnp.inf)

    def count(value: jax.Array) -> jax.Array:  # one target slot at a time: [n, V, M] never exists
        def above(others: jax.Array) -> jax.Array:
            return (others > value[:, None]).astype(jnp.int32) + (others >= value[:, None])

        # Counted over all columns, then column 0 and the seen ones are taken out again: a mask or a slice of the scores
        # would cost more than the counting.
        removed = jnp.where(counts, above(seen_scores), 0)
        return above(scores).sum(axis=1) - above(scores[:, :1])[:, 0] - removed.sum(axis=1)

    # With g greater and e equal candidates (itself among them): 1 + g + (e - 1) / 2 = (1 + g + (g + e)) / 2.
    rank = (1 + jax.lax.map(count, own.T).T) / 2
    return jnp.where(possible, rank, jnp.inf).astype(jnp.float32), own, _any_nan(scores)


def _any_nan(scores: jax.Array) -> jax.Array:
    """Is there a NaN in columns 1..V; they are looked at one by one only where a row's maximum is NaN."""
    suspect = jnp.isnan(scores.max(axis=1)).any()
    return jax.lax.cond(suspect, lambda: jnp.isnan(scores[:, 1:]).any(), lambda: False)


def _start_top_k(scores: Any, seen: Any, k: int) -> tuple[Any, Any, Any]:
    array = jnp.asarray(scores, jnp.float32)  # XLA sorts whole rows of float64, 50 times slower
    return _top_k(array, _seen(seen, len(array)), min(k, array.shape[1] - 1))


def _finish_top_k(items: Any, values: Any, broken: Any) -> tuple[np.ndarray, np.ndarray]:
    _refuse_nan(broken)
    return np.asarray(items), np.asarray(values)


@jax.jit(static_argnums=2)
def _top_k(scores: jax.Array, seen: jax.Array, k: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    allowed = scores.at[jnp.arange(len(scores))[:, None], seen].set(-jnp.inf, mode="drop").at[:, 0].set(-jnp.inf)
    values, items = jax.lax.top_k(allowed, k)
    return jnp.where(values > -jnp.inf, items, 0).astype(jnp.int32), values, _any_nan(scores)


def _precision(scores: Any) -> Any:
    """Lets jax keep float64 scores as they are: rounding to float32 would make ties that are none."""
    return jax.enable_x64(bool(scores.dtype == np.float64))


def _seen(seen: Any, n: int) -> jax.Array:
    return jnp.zeros((n, 1), jnp.int32) if seen is None else jnp.asarray(seen)


def _refuse_nan(broken: Any) -> None:
    if bool(broken):
        raise ValueError("expected finite or infinite scores, got NaN: the scorer is broken; nothing was ranked")


def _first_occurrence(items: np.ndarray) -> np.ndarray:
    """True at the first slot of each distinct non-zero item of a row; bool [n, M]."""
    order = np.argsort(items, axis=1, kind="stable")
    ordered = np.take_along_axis(items, order, axis=1)
    first = np.ones(items.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    result = np.empty_like(first)
    np.put_along_axis(result, order, first, axis=1)
    return result & (items > 0)


def contains(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Is values[i, j] among rows[i]; bool like `values`."""
    base = np.int64(max(rows.max(initial=0), values.max(initial=0))) + 1
    shift = np.arange(len(rows))[:, None] * base
    return np.isin(shift + values, shift + rows)
