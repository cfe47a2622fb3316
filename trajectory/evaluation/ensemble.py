"""Several finished runs, and a counting baseline if asked, as one scorer; what is fitted is fitted on validation.

Probabilities are pooled linearly: p(item) = sum of w_m p_m(item) (Stone 1961, "The opinion pool"), each p_m over the
candidates, so that what a member gives to seen items is not held against it. The weights are equal, or maximise the
validation likelihood by EM (Dempster, Laird & Rubin 1977), read of the probabilities of the targets alone. Ranks are
fused as sum of 1 / (60 + rank_m(item)) (Cormack, Clarke & Büttcher 2009).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from ml_collections import ConfigDict
from scipy.stats import rankdata

from trajectory import hints
from trajectory.baselines.next_item import Baseline, InterestFrequency, baselines
from trajectory.evaluation.baseline_cache import baseline_results
from trajectory.evaluation.protocol import evaluate
from trajectory.evaluation.report import evaluation_of, per_user, write_results
from trajectory.inference.scorer import ModelScorer
from trajectory.metrics.mixture import mixture_weights
from trajectory.metrics.ranking import contains, distinct_items
from trajectory.protocols import Scorer, Scores
from trajectory.results.measured import Evaluation
from trajectory.run import Run, load_run
from trajectory.schema import Histories, Queries, UserError

COMBINATIONS = {
    "probabilities": "mean of the members' probabilities over the candidates",
    "ranks": "reciprocal rank fusion, sum of 1 / (60 + rank) over the members",
}
RANK_OFFSET = 60
POPULARITY_SHARE = 0.1  # of a baseline's distribution: an item that it never counted is possible too
EXPONENTS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)  # that sharpen or flatten a baseline's distribution


class BaselineDistribution:
    """A baseline's scores as log-probabilities, up to a constant of each row: exponent * log(0.9 q + 0.1 popularity).

    q: its scores above 0, normalised over the items; below 0 baselines only order what they did not count.
    """

    log_probabilities = False  # but for that constant

    def __init__(self, baseline: Baseline, exponent: float = 1.0) -> None:
        self.baseline, self.exponent, self.name, self.batch = baseline, exponent, baseline.name, baseline.batch

    def score(self, queries: Queries) -> Scores:
        """Log-probability of each item up to a constant of the row, [n, V + 1]."""
        counted = jnp.asarray(self.baseline.scores(queries), jnp.float32)
        return Scores(self.exponent * _log_shares(counted, jnp.asarray(self.baseline.popularity, jnp.float32)))

    def fit(self, histories: Histories, queries: Queries, config: ConfigDict) -> BaselineDistribution:
        """Takes the exponent under which the targets of `queries` are most likely, and returns itself."""
        plain = BaselineDistribution(self.baseline)

        def powers(chunk: Queries) -> Iterable[jax.Array]:
            scores = plain.score(chunk).items
            return (exponent * scores for exponent in EXPONENTS)

        log_likelihoods, weight = _of_targets(powers, histories, queries, config)
        if len(log_likelihoods):
            self.exponent = EXPONENTS[int(np.argmax(weight @ log_likelihoods))]
        return self


class MeanProbability:
    """Weighted mean of the members' probabilities; a member's scores are log-probabilities up to a constant of the row.

    Interest probabilities are averaged with the same weights over the members that are models; None unless all of them
    have the head.
    """

    name = "ensemble"
    batch = None

    def __init__(self, members: Sequence[Scorer], weights: np.ndarray, histories: Histories, seen: str) -> None:
        self.members, self.weights, self.histories, self.seen = members, weights, histories, seen

    @property
    def log_probabilities(self) -> bool:
        """Whether the log-loss compares with a model's: not where seen items leave first, as a model's has them too."""
        return self.seen == "keep"

    def score(self, queries: Queries) -> Scores:
        """Log of the mean probability of each item [n, V + 1], the candidates' sum to 1, and interest [n, K + 1]."""
        seen, nothing = _seen(self.histories, queries, self.seen), np.zeros((len(queries.user), 1), np.int32)
        items: Any = None
        interests: list[tuple[Any, float]] = []
        for member, weight in zip(self.members, self.weights, strict=True):  # one member's scores of items at a time
            scores = member.score(queries)
            items = self._add_items(items, scores.items, seen, weight)
            if not isinstance(member, Baseline | BaselineDistribution):
                interests.append((scores.interests, weight))
        if not interests or any(scores is None for scores, _ in interests):
            return Scores(items)
        mean: Any = None
        for scores, weight in interests:
            mean = _add(mean, scores, nothing, weight)
        return Scores(items, np.asarray(mean))

    def _add_items(self, total: Any, scores: Any, seen: np.ndarray, weight: float) -> Any:
        return _add(total, scores, seen, weight)


class ReciprocalRank(MeanProbability):
    """Sum of weight / (60 + rank) over the members, each ranking all items by its scores; ties share their mean rank.

    Interests are combined as by MeanProbability.
    """

    log_probabilities = False

    def _add_items(self, total: Any, scores: Any, seen: np.ndarray, weight: float) -> np.ndarray:
        rank = rankdata(-np.asarray(scores)[:, 1:], axis=1)
        fused = np.pad(weight / (RANK_OFFSET + rank), ((0, 0), (1, 0)))
        return fused if total is None else total + fused


def fit_weights(members: Sequence[Scorer], histories: Histories, queries: Queries, config: ConfigDict) -> np.ndarray:
    """Weights of MeanProbability [m] under which the targets of `queries` are most likely (`config.evaluation`).

    Every query weighs the same, shared by its targets; those that are no candidates are left out. Equal where there are
    none at all.
    """
    log_likelihoods, weight = _of_targets(
        lambda chunk: (m.score(chunk).items for m in members), histories, queries, config
    )
    return mixture_weights(log_likelihoods, weight) if len(log_likelihoods) else np.full(len(members), 1 / len(members))


def refuse_unlike(first: Run, other: Run) -> None:
    """Raises UserError, naming what differs, unless both runs rank the same candidates for the same queries."""
    a, b = first.experiment, other.experiment
    differs = []
    if a.histories.fingerprint != b.histories.fingerprint:
        differs.append(
            _differing("fingerprint of the data", a.histories.fingerprint[:12], b.histories.fingerprint[:12])
        )
    if not _same_split(a.split, b.split):
        for name in a.config.split:
            if a.config.split[name] != b.config.split[name]:
                differs.append(_differing(f"split.{name}", a.config.split[name], b.config.split[name]))
    if a.config.evaluation.seen != b.config.evaluation.seen:
        differs.append(_differing("evaluation.seen", a.config.evaluation.seen, b.config.evaluation.seen))
    if differs:
        raise UserError(
            f"an ensemble needs runs of the same data, split and candidates, but {first.workdir} and {other.workdir} "
            f"differ in {'; '.join(differs)}"
        )


def evaluate_ensemble(
    workdirs: Sequence[Path], combine: str, baseline: str = "", fit: bool = False
) -> tuple[dict[str, Any], pl.DataFrame]:
    """What evaluation.json and per_user.parquet hold of the runs combined (see run.evaluate_run).

    `combine` is one of COMBINATIONS, `baseline` the name of one that becomes a member, `fit` chooses the weights of
    probabilities on validation. Settings of the evaluation are those of the first run; conversions are not combined.
    Raises UserError for runs that do not fit together (`refuse_unlike`), have no item head or are named twice, for an
    unknown baseline, and for weights of ranks.
    """
    if len(set(workdirs)) < len(workdirs):
        raise UserError(f"{', '.join(map(str, workdirs))}: expected different runs, got one of them twice")
    if fit and combine == "ranks":
        raise UserError(
            f"{hints.argument('fit')} weighs probabilities by their likelihood, and ranks have none; leave out one"
        )
    first = load_run(workdirs[0])
    histories, split, config = first.experiment.histories, first.experiment.split, first.config
    singles: list[Scorer] = []
    facts: dict[str, dict[str, Any]] = {}
    for workdir in workdirs:
        run = load_run(workdir) if singles else first
        refuse_unlike(first, run)
        if not run.config.heads.item:
            raise UserError(f"{workdir} has no item head (heads.item=0), so it ranks nothing; leave it out")
        # The first run's histories for all: those of the others are the same ones again.
        singles.append(ModelScorer(run.predictor(histories), str(workdir)))
        facts[str(workdir)] = {"backbone": run.config.model.backbone, "checkpoint": run.checkpoint}
    members = list(singles)
    if baseline:
        counted = _find(baselines(histories, split, config), baseline)
        singles.append(counted)
        if combine == "probabilities":
            distribution = BaselineDistribution(counted).fit(histories, split.validation, config)
            members.append(distribution)
            facts[baseline] = {"exponent": distribution.exponent}
        else:
            members.append(counted)
            facts[baseline] = {}
    weights = np.full(len(members), 1 / len(members))
    if fit:
        weights = fit_weights(members, histories, split.validation, config)
    for stated, weight in zip(facts.values(), weights, strict=True):
        stated["weight"] = float(weight)
    pool = {"probabilities": MeanProbability, "ranks": ReciprocalRank}[combine]
    ensemble = pool(members, weights, histories, config.evaluation.seen)
    how = f"{COMBINATIONS[combine]}; weights " + ("by likelihood on validation" if fit else "equal")
    rows = baseline_results(histories, split, config)
    evaluation, results = evaluate(
        ensemble, rows, histories, split, config, singles=singles, combination=how, members=facts
    )
    return evaluation, per_user(first.experiment, results)


def write_ensemble(workdirs: Sequence[Path], out: Path, combine: str, baseline: str, fit: bool) -> Evaluation:
    """Evaluates the ensemble and writes what write_results does into the folder `out`, which must not be a run's."""
    if (out / "config.json").exists():
        raise UserError(
            f"{hints.argument('out', str(out))} is a run, whose evaluation.json would be lost; name another folder"
        )
    evaluation, users = evaluate_ensemble(workdirs, combine, baseline, fit)
    out.mkdir(parents=True, exist_ok=True)
    return evaluation_of(write_results(evaluation, users, out))


def _of_targets(
    read: Callable[[Queries], Iterable[Any]], histories: Histories, queries: Queries, config: ConfigDict
) -> tuple[np.ndarray, np.ndarray]:
    """Log-probability among the candidates of each target that is one of them [n, m], and its weight [n].

    `read` gives the scores [q, V + 1] of each of m scorers, one after another.
    """
    log_likelihoods, weights = [], []
    for chunk in queries.chunks(config.evaluation.batch):
        seen = _seen(histories, chunk, config.evaluation.seen)
        targets = distinct_items(histories, chunk.stop, chunk.end)
        row, slot = np.nonzero((targets > 0) & (targets <= histories.num_items) & ~contains(seen, targets))
        columns = [np.asarray(_log_probability(scores, seen))[row, targets[row, slot]] for scores in read(chunk)]
        log_likelihoods.append(np.stack(columns, axis=1).astype(np.float64))
        weights.append(1 / np.bincount(row, minlength=len(targets))[row])
    weight = np.concatenate(weights)
    return np.concatenate(log_likelihoods), weight / max(weight.sum(), 1)


def _seen(histories: Histories, queries: Queries, seen: str) -> np.ndarray:
    """The items of each history that are no candidates, int32 [n, S]; column 0 never is one."""
    if seen == "keep":
        return np.zeros((len(queries.user), 1), np.int32)
    return distinct_items(histories, queries.start, queries.stop, least=64)


@jax.jit
def _log_probability(scores: jax.Array, seen: jax.Array) -> jax.Array:
    """Scores shifted so that the candidates' probabilities sum to 1; others have -inf."""
    rows = jnp.arange(len(scores))[:, None]
    candidates = scores.at[rows, seen].set(-jnp.inf, mode="drop").at[:, 0].set(-jnp.inf)
    total = jax.nn.logsumexp(candidates, axis=1, keepdims=True)
    return candidates - jnp.where(jnp.isfinite(total), total, 0)  # a history may hold the whole catalogue


def _add(total: Any, scores: Any, seen: Any, weight: float) -> jax.Array:
    """The log of a sum of weighted probabilities (None: nothing yet) with one more term."""
    return _add_term(-jnp.inf if total is None else total, jnp.asarray(scores, jnp.float32), seen, weight)


@jax.jit
def _add_term(total: jax.Array, scores: jax.Array, seen: jax.Array, weight: float) -> jax.Array:
    return jnp.logaddexp(total, _log_probability(scores, seen) + jnp.log(weight))


@jax.jit
def _log_shares(scores: jax.Array, popularity: jax.Array) -> jax.Array:
    counted = jnp.maximum(scores, 0).at[:, 0].set(0)
    counted = counted / jnp.maximum(counted.sum(axis=1, keepdims=True), jnp.finfo(jnp.float32).tiny)
    popular = (popularity + 1) / (popularity[1:] + 1).sum()
    return jnp.log((1 - POPULARITY_SHARE) * counted + POPULARITY_SHARE * popular)


def _same_split(a: Any, b: Any) -> bool:
    pairs = [
        (a.train_end, b.train_end),
        *zip(a.validation, b.validation, strict=True),
        *zip(a.test, b.test, strict=True),
    ]
    return all(np.array_equal(first, other) for first, other in pairs)


def _differing(name: str, first: Any, other: Any) -> str:
    return f"{name} ({first} and {other})"


def _find(rows: Sequence[Baseline], name: str) -> Baseline:
    named = {row.name: row for row in rows if not isinstance(row, InterestFrequency)}
    if name not in named:
        raise UserError(f"{hints.argument('baseline', name)} is no baseline here; expected one of {', '.join(named)}")
    return named[name]
