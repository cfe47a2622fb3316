"""How likely a user takes each item within the next H steps: the forecast of these steps, pooled with counts."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression

from trajectory import hints
from trajectory.baselines.ease import MOST_ITEMS, Ease
from trajectory.baselines.next_item import Baseline, CoOccurrence
from trajectory.baselines.user_item_frequency import overall_rates, shrunk_frequencies
from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import step_bounds, target_starts, training_events
from trajectory.data.times import DAY
from trajectory.inference.direct import DirectForecaster
from trajectory.insights.recommend.by_item import ItemBins
from trajectory.run import Run
from trajectory.schema import Histories, Queries, Split, UserError

NEGATIVES = 400_000  # pairs of a user and an item that did not come, drawn for the fit
FEWEST = 50  # items that came: with fewer nothing is fitted
LEAST, MOST = 1e-6, 0.99

Fit = tuple[np.ndarray, np.ndarray, LogisticRegression]  # mean and deviation of the features, and what was learned


class RelevanceReading(NamedTuple):
    """What `Relevance` and the forecast that it is made of say of n queries."""

    scores: np.ndarray  # log-odds of each item's coming within the steps, float64 [n, V + 1]
    by_step: np.ndarray  # the forecast's share of each item at each step, float32 [n, H, V + 1]

    @property
    def expected(self) -> np.ndarray:
        """The forecast's share of each item, summed over the steps, float32 [n, V + 1]."""
        return self.by_step.sum(axis=1)


class Relevance:
    """A scorer: log-odds of each item's coming within the next H steps, fitted on the windows that validate a run.

    H is heads.horizon, or fewer where the split asks for fewer. Items of the history: the forecast's expected share of
    the steps, and the user's own rate of the item (`shrunk_frequencies`). New items: the forecast, and what users with
    like histories have (`Ease`; in large catalogues `CoOccurrence`). Each kind has its own logistic regression, whose
    log-odds are moved for each item by how often it came (`ItemBins`: users who have long done without a popular item
    do not want it); where too few came for one, the forecast's share is brought to how many came, so that both have one
    scale.
    """

    name = "trajectory"
    batch = 64

    def __init__(self, run: Run) -> None:
        experiment, c = run.experiment, run.config
        if c.heads.horizon < 2:
            raise UserError(
                f"recommendations over several steps need heads of several steps, and this run has heads.horizon="
                f"{c.heads.horizon}; train with {hints.setting('heads.horizon', 3)}, say, and a split that keeps "
                "back as many (own_log:split=temporal; the preset `insights` does so)"
            )
        self.histories: Histories = experiment.histories
        asked = steps_asked(
            experiment.histories, limited_to_steps(experiment.histories, experiment.split.validation, c.heads.horizon)
        )
        self.steps, self.steps_had = int(asked.max()), float(asked.mean())
        self.days = validation_days(experiment.split)
        self.filter_seen = c.evaluation.seen == "filter"  # items of the history are not suggested
        self.forecaster = DirectForecaster(run.predictor().replace(filter_seen=False), self.steps)
        neighbours: Baseline = Ease() if experiment.histories.num_items <= MOST_ITEMS else CoOccurrence()
        self.neighbours = neighbours.fit(experiment.histories, experiment.split)
        self.overall = overall_rates(experiment.histories, training_events(experiment.histories, experiment.split))
        self.fits: dict[bool, Fit] = {}  # of items of the history (True) and of new ones, where enough came
        self.scale = {False: 0.0, True: 0.0}  # where not: log of what came over what the forecast expects
        self.shifts: dict[bool, np.ndarray] = {}  # of the log-odds of each item [V + 1], where fitted
        validation = limited_to_steps(experiment.histories, experiment.split.validation, self.steps)
        self._fit(validation, c.seed)
        self.shifts = self._shifts_by_item(validation)

    def read(self, queries: Queries) -> RelevanceReading:
        """Scores of all items, with the forecast that they are made of."""
        by_step = self._by_step(queries)
        features = self._features(queries, by_step)
        owned = owned_items(self.histories, queries.start, queries.stop)
        share = np.exp(features[False][..., 0].astype(np.float64))
        share = np.minimum(share * np.exp(np.where(owned, self.scale[True], self.scale[False])), MOST)
        log_odds = np.log(share) - np.log1p(-share)
        for again, (mean, deviation, learned) in self.fits.items():
            some = owned == again
            log_odds[some] = learned.decision_function((features[again][some] - mean) / deviation)
            if again in self.shifts:
                log_odds[some] += self.shifts[again][np.nonzero(some)[1]]
        return RelevanceReading(log_odds, by_step)

    def _fit(self, queries: Queries, seed: int) -> None:
        rng = np.random.default_rng(seed)
        share = min(1.0, NEGATIVES / (len(queries.user) * self.histories.num_items))
        parts: dict[bool, list[tuple[np.ndarray, np.ndarray]]] = {True: [], False: []}
        for chunk in queries.chunks(self.batch):
            features = self._features(chunk, self._by_step(chunk))
            owned = owned_items(self.histories, chunk.start, chunk.stop)
            observed = owned_items(self.histories, chunk.stop, chunk.end)
            drawn = observed | (rng.random(observed.shape) < share)
            drawn[:, 0] = False
            for again in (False, True):
                some = drawn & (owned == again)
                parts[again].append((features[again][some], observed[some]))
        for again, chunks in parts.items():
            x, observed = (np.concatenate(column) for column in zip(*chunks, strict=True))
            weight = np.where(observed, 1.0, 1 / share)
            if observed.sum() < FEWEST:
                self.scale[again] = log_scale(np.exp(x[:, 0].astype(np.float64)), weight, observed.sum())
            else:
                mean, deviation = x.mean(axis=0), x.std(axis=0) + LEAST
                learned = LogisticRegression(max_iter=500)
                learned.fit((x - mean) / deviation, observed, weight)
                self.fits[again] = mean, deviation, learned

    def _shifts_by_item(self, queries: Queries) -> dict[bool, np.ndarray]:
        kinds = self.histories.item_interest[: self.histories.num_items + 1] if self.histories.interests else None
        bins = {again: ItemBins(self.histories.num_items, kinds) for again in self.fits}
        for chunk in queries.chunks(self.batch) if bins else ():
            log_odds = self.read(chunk).scores
            owned = owned_items(self.histories, chunk.start, chunk.stop)
            observed = owned_items(self.histories, chunk.stop, chunk.end)
            for again, of in bins.items():
                some = owned == again
                some[:, 0] = False
                of.add(log_odds, some, observed)
        return {again: of.shifts() for again, of in bins.items()}

    def _features(self, queries: Queries, by_step: np.ndarray) -> dict[bool, np.ndarray]:
        """Features float32 [n, V + 1, 2 or 3] of new items (False) and of those of the history (True)."""
        forecast = np.log(by_step.sum(axis=1) + LEAST)
        near = np.asarray(self.neighbours.scores(queries), np.float32)
        new = [forecast, near, log_share(near)]
        own = np.log(shrunk_frequencies(self.histories, queries, self.overall) + LEAST)
        return {False: np.stack(new, axis=-1), True: np.stack([forecast, own], axis=-1).astype(np.float32)}

    def _by_step(self, queries: Queries) -> np.ndarray:
        return np.exp(self.forecaster.forecast(queries).log_probability)


def log_scale(share: np.ndarray, weight: np.ndarray, came: int) -> float:
    """By how much shares [n] are raised (log) so that they add up to how many came, with none above MOST."""
    expected = (share * weight).sum()
    if expected <= 0:
        return 0.0  # nobody whom it could come to
    target = expected * (came + 0.5) / (expected + 0.5)

    def missing(scale: float) -> float:
        return float((np.minimum(share * np.exp(scale), MOST) * weight).sum() - target)

    low, high = np.log(target / expected) - 1, 30.0  # without the limit the first, less 1, is enough
    return high if missing(high) < 0 else float(brentq(missing, low, high))


def validation_days(split: Split) -> int:
    """Days of the validation window, 0 where the split is not by time."""
    begin, end = split.cut_time("validation"), split.cut_time("test")
    return 0 if begin is None or end is None else max(round((end - begin) / DAY), 1)


def limited_to_steps(histories: Histories, queries: Queries, steps: int) -> Queries:
    """The same queries, which ask for no more than the next `steps` steps."""
    return queries._replace(end=step_bounds(histories, queries, steps)[:, -1])


def steps_asked(histories: Histories, queries: Queries) -> np.ndarray:
    """How many steps each query asks for, int64 [n]."""
    starts = target_starts(histories)
    return np.searchsorted(starts, queries.end, "left") - np.searchsorted(starts, queries.stop, "left")


def probabilities(fits: Collection[bool], scores: np.ndarray, owned: np.ndarray) -> np.ndarray:
    """Chances of `Relevance.scores` [n, V + 1]; NaN for those, of items of the history (`owned`) or others, of which
    nothing was fitted: their scores have an order only.
    """
    probability = 1 / (1 + np.exp(-scores))
    for again in {False, True}.difference(fits):
        probability[owned == again] = np.nan
    return probability


def log_share(scores: np.ndarray) -> np.ndarray:
    """Log of each item's share of the positive scores [n, V + 1], counted from a tenth of an equal share on."""
    positive = np.maximum(scores, 0)
    positive[:, 0] = 0
    positive /= np.maximum(positive.sum(axis=1, keepdims=True), 1e-12)
    return np.log(positive + 0.1 / positive.shape[1])


def owned_items(histories: Histories, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Whether each slice of events has each item of the catalogue as a target, bool [n, V + 1]."""
    row, index = slices(start, stop)
    item = histories.target_item[index]
    known = item <= histories.num_items
    owned = np.zeros((len(start), histories.num_items + 1), bool)
    owned[row[known], item[known]] = True
    owned[:, 0] = False
    return owned
