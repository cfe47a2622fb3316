"""Who buys of an interest or item within D days from a moment, from the run's forecast: fitted, then measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from trajectory.data.times import DAY
from trajectory.inference.new_users import histories_before
from trajectory.insights.audiences.auc_differences import auc_differences
from trajectory.insights.audiences.audience_targets import AudienceTargets, bought
from trajectory.insights.audiences.baselines import goods_rivals
from trajectory.insights.audiences.counts import Counts, count
from trajectory.insights.audiences.expected_purchases import ExpectedPurchases, expected_purchases
from trajectory.insights.audiences.propensity import PropensityModel, choose_targets, fit
from trajectory.insights.audiences.ranking import lift
from trajectory.metrics.auc import auc
from trajectory.metrics.reliability import clustered_pairs, event_pairs, summary
from trajectory.metrics.significance import confidence_interval
from trajectory.run import Run
from trajectory.schema import Queries, UserError

DAYS = 28  # of the horizon, or as many whole days as the validation window has
OURS = "forecast, counts and what goes together"
SIMULATIONS = 200  # of each group's band
BLOCK = 50  # resamples at once
SAMPLE = 10_000  # users who are learned from, and who are measured, at most


class Snapshot(NamedTuple):
    """All users as they are at one moment, and the run's forecast of the days from there."""

    time: int  # unix seconds
    queries: Queries
    expected: ExpectedPurchases


@dataclass(frozen=True)
class Audience:
    """The chance of n users to buy of g groups of items within the days from the moment asked at."""

    goods: AudienceTargets
    days: int
    model: PropensityModel
    then: Counts  # of the m users who were learned from, at that moment
    then_lines: np.ndarray  # float32 [m, G], forecast then
    then_bought: np.ndarray  # bool [m, G], in the days after that
    counts: Counts  # at the moment asked at
    probability: np.ndarray  # float64 [n, g]
    bought: np.ndarray  # bool [n, g], what came; nothing after the log's end
    user: np.ndarray  # int64 [n]

    def of(self, rows: np.ndarray) -> Audience:
        """Of some of the users asked for."""
        asked = {name: getattr(self, name)[rows] for name in ("probability", "bought", "user")}
        return replace(self, counts=self.counts.of(rows), **asked)

    @property
    def lapsed(self) -> np.ndarray:
        """Who has not come to a group within 12 weeks, bool [n, g]: where they buy, the interest has arrived."""
        return self.counts.lapsed[:, self.model.chosen]


def horizon(run: Run) -> int:
    """D: `DAYS`, or the whole days of the validation window where it is shorter. UserError without a split by time."""
    split = run.experiment.split
    validation, test = split.cut_time("validation"), split.cut_time("test")
    if validation is None or test is None:
        raise UserError(
            f"audiences learn from the weeks before a date and are asked from it on, but split.kind is {split.kind}; "
            "train with --config.split.kind=temporal"
        )
    return max(int(min(DAYS, (test - validation) / DAY, (run.experiment.histories.now - test) / DAY)), 1)


def snapshot_at(run: Run, moment: int | None, goods: Sequence[AudienceTargets]) -> Snapshot:
    """All users at a moment (unix seconds), such as the split's `cut_time("test")`, and what is expected of `goods`.

    UserError as of `horizon`.
    """
    days = horizon(run)
    assert moment is not None  # where the split is by time
    queries = histories_before(run.experiment.histories, moment)
    n = len(queries.user)
    return Snapshot(
        moment, queries, expected_purchases(run, queries, np.full(n, moment), np.full(n, float(days)), goods)
    )


def audience(run: Run, goods: AudienceTargets, learned: Snapshot, asked: Snapshot) -> Audience | None:
    """Learns from the days after one moment and predicts those after another; None where too few newly buy of any
    group.
    """
    histories, days = run.experiment.histories, horizon(run)

    def at(moment: Snapshot) -> tuple[Counts, np.ndarray, np.ndarray]:
        counts = count(histories, goods, moment.queries, moment.time)
        observed = bought(histories, goods, moment.queries, moment.time + round(days * DAY))
        return counts, moment.expected.lines[goods.kind], observed

    then, then_lines, then_bought = at(learned)
    chosen = choose_targets(then, then_bought)
    if not len(chosen):
        return None
    sample = _drawn(len(then_bought))
    then, then_lines, then_bought = then.of(sample), then_lines[sample], then_bought[sample]
    model = fit(then, then_lines, then_bought, chosen)
    counts, lines, came = at(asked)
    chance = model.of(counts, lines)
    user = asked.queries.user
    return Audience(goods, days, model, then, then_lines, then_bought, counts, chance, came[:, chosen], user)


def _drawn(users: int) -> np.ndarray:
    """Numbers of at most `SAMPLE` of the users, in order."""
    return np.sort(np.random.default_rng(0).permutation(users)[:SAMPLE])


def measure(found: Audience, spent: np.ndarray, resamples: int, seed: int) -> dict[str, Any]:
    """Mean AUC and lift over groups of all users, of lapsed ones ("arriving") and of "new" ones, beside the rivals.

    `spent` [n]: of each user in the last 12 weeks. At most `SAMPLE` of the users are asked. Groups that nobody, or
    everybody, bought of are left out, and so are kinds of users for whom all groups are. Intervals and
    `auc_differences` (ours less each other, p-values adjusted by Holm) resample users as a whole. `calibration`:
    pooled, beside the band of a perfect model whose users buy much or little of all groups at once;
    `share_within_sampling_error`: of the groups, whose error lies in the band of a perfect model at that number of
    users.
    """
    sample = _drawn(len(spent))
    found, spent = found.of(sample), spent[sample]
    scores = {OURS: found.probability}
    scores |= goods_rivals(found.counts, found.then, found.then_bought, found.model.chosen, spent)
    never = found.counts.ever[:, found.model.chosen] == 0
    groups = {"all users": np.ones_like(found.lapsed), "arriving": found.lapsed, "new": never}
    measured = {name: _measure(found, scores, asked, resamples, seed) for name, asked in groups.items()}
    return {name: values for name, values in measured.items() if values}


def _measure(
    found: Audience, scores: dict[str, np.ndarray], asked: np.ndarray, resamples: int, seed: int
) -> dict[str, Any]:
    bought_then = found.bought
    some = [j for j in range(bought_then.shape[1]) if 0 < bought_then[asked[:, j], j].sum() < asked[:, j].sum()]
    if not some:
        return {}
    rng, n = np.random.default_rng(seed), len(bought_then)
    means: dict[str, list[np.ndarray]] = {name: [] for name in scores}
    for at in range(0, resamples, BLOCK):
        # Resamples of one user lie side by side, as `auc` adds them up.
        weights = rng.multinomial(n, np.full(n, 1 / n), size=min(BLOCK, resamples - at)).astype(np.float64).T.copy()
        areas: dict[str, list[np.ndarray]] = {name: [] for name in scores}
        for j, rows in _rows(asked, some):
            some_weights = weights[rows].T
            for name, score in scores.items():
                areas[name].append(auc(bought_then[rows, j], score[rows, j], some_weights))
        for name, of in areas.items():
            means[name].append(np.nanmean(of, axis=0))
    drawn = {name: np.concatenate(parts) for name, parts in means.items()}
    methods = {}
    for name, score in scores.items():
        area = [float(auc(bought_then[rows, j], score[rows, j])[0]) for j, rows in _rows(asked, some)]
        rise = [lift(bought_then[rows, j], score[rows, j]) for j, rows in _rows(asked, some)]
        low, high = map(float, confidence_interval(drawn[name])[:2])
        methods[name] = {"auc": float(np.mean(area)), "low": low, "high": high, "lift": float(np.mean(rise))}
    pooled = clustered_pairs(found.probability[asked], bought_then[asked].astype(np.int8), np.nonzero(asked)[0])
    each = [event_pairs(found.probability[r, j], bought_then[r, j].astype(np.int8)) for j, r in _rows(asked, some)]
    calibration = summary(pooled, seed=seed)
    calibration["share_within_sampling_error"] = float(
        np.mean([summary(pairs, SIMULATIONS, seed)["within_sampling_error"] for pairs in each])
    )
    return {
        "groups": len(some),
        "users": n,
        "asked": int(asked.sum()),
        "bought": int(bought_then[asked].sum()),
        "methods": methods,
        "leads": auc_differences(drawn),
        "calibration": calibration,
    }


def _rows(asked: np.ndarray, some: list[int]) -> list[tuple[int, np.ndarray]]:
    return [(j, np.flatnonzero(asked[:, j])) for j in some]
