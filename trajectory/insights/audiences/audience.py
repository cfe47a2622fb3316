"""An audience: the chance of each user to buy of a group of items within D days from a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from trajectory import hints
from trajectory.data.times import DAY
from trajectory.inference.new_users import histories_before
from trajectory.insights.audiences.audience_targets import AudienceTargets, bought
from trajectory.insights.audiences.counts import Counts, count
from trajectory.insights.audiences.expected_purchases import ExpectedPurchases, expected_purchases
from trajectory.insights.audiences.propensity import PropensityModel, choose_targets, fit
from trajectory.run import Run
from trajectory.schema import Queries, UserError

DAYS = 28  # of the horizon, or as many whole days as the validation window has
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
        selected = {name: getattr(self, name)[rows] for name in ("probability", "bought", "user")}
        return replace(self, counts=self.counts.of(rows), **selected)

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
            f"train with {hints.setting('split.kind', 'temporal')}"
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


def audience(run: Run, goods: AudienceTargets, learned: Snapshot, target: Snapshot) -> Audience | None:
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
    sample = drawn_users(len(then_bought))
    then, then_lines, then_bought = then.of(sample), then_lines[sample], then_bought[sample]
    model = fit(then, then_lines, then_bought, chosen)
    counts, lines, observed = at(target)
    chance = model.of(counts, lines)
    user = target.queries.user
    return Audience(goods, days, model, then, then_lines, then_bought, counts, chance, observed[:, chosen], user)


def drawn_users(users: int) -> np.ndarray:
    """Numbers of at most `SAMPLE` of the users, in order."""
    return np.sort(np.random.default_rng(0).permutation(users)[:SAMPLE])
