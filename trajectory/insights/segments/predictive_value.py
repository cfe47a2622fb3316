"""How much a user's segment alone says of what comes: spend in each field, and who redeems campaigns.

Cross-fitted: what one half of the users did predicts the other half. Lower losses are better.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.data.context.campaigns import Campaigns
from trajectory.data.ingest.source.side_files import as_known
from trajectory.data.times import DAY, WEEK
from trajectory.insights.segments.states import Trajectories
from trajectory.insights.segments.volumes import summed, values
from trajectory.metrics.auc import auc
from trajectory.metrics.significance import ConfidenceInterval, confidence_interval, user_weights

WEEKS = 12  # a quarter: what is predicted
HALVINGS = 5  # random halvings of the users


class Losses(NamedTuple):
    """Of each user, means over halvings, float64 [n], summed over fields."""

    squared: np.ndarray
    absolute: np.ndarray


class Redemptions(NamedTuple):
    """One row for each campaign that starts in the quarter and each user who got it."""

    user: np.ndarray  # int64 [m], row of the trajectories
    redeemed: np.ndarray  # bool [m]


def spend_after(trajectories: Trajectories) -> np.ndarray | None:
    """What each user buys of each field a week in the quarter after the moment, float64 [n, D]; also those who never
    come back. None where less than a quarter of the log is after the moment.
    """
    histories, queries, moment = trajectories.histories, trajectories.queries, trajectories.moment
    if moment is None or histories.time.max() < moment + (WEEKS * 7 - 1) * DAY:
        return None
    until = np.concatenate([[0], np.cumsum(histories.time >= moment + WEEKS * WEEK)])
    end = queries.end - (until[queries.end] - until[queries.stop])
    field = trajectories.item_field[histories.item]
    return summed(field, values(histories), queries.stop, end, len(trajectories.fields)) / WEEKS


def predictive_losses(label: np.ndarray, outcome: np.ndarray, seed: int = 0) -> Losses:
    """Losses of the segment's mean [n, D] as the forecast of each of its users; everybody's mean where it has none."""
    code = np.unique(label, return_inverse=True)[1]
    squared, absolute = np.zeros(len(code)), np.zeros(len(code))
    for halving in range(HALVINGS):
        half = np.random.default_rng([seed, halving]).permutation(len(code)) % 2
        for learned in (0, 1):
            known, tested = half == learned, half != learned
            count = np.bincount(code[known], minlength=code.max() + 1)
            total = np.zeros((len(count), outcome.shape[1]))
            np.add.at(total, code[known], outcome[known])
            mean = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], outcome[known].mean(0))
            error = outcome[tested] - mean[code[tested]]
            squared[tested] += (error**2).sum(1) / HALVINGS
            absolute[tested] += np.abs(error).sum(1) / HALVINGS
    return Losses(squared, absolute)


def redemptions_after(trajectories: Trajectories, campaigns: Campaigns) -> Redemptions | None:
    """Who redeemed what came to them in the quarter after the moment; None where nobody or everybody did."""
    if trajectories.moment is None:
        return None
    histories, moment = trajectories.histories, trajectories.moment
    soon = campaigns.described.filter(campaigns.described["start"].is_between(moment, moment + WEEKS * WEEK))
    got = campaigns.recipients.filter(campaigns.recipients["campaign"].is_in(soon["campaign"].implode()))
    users = histories.users["user"].gather(trajectories.queries.user)
    row = dict(zip(users.to_list(), range(len(users)), strict=True))
    redeemed_by = as_known(campaigns.redemptions["user"], users)
    used = set(zip(campaigns.redemptions["campaign"].to_list(), redeemed_by.to_list(), strict=True))
    got = got.select("campaign", as_known(got["user"], users))
    rows = [(row[user], (campaign, user) in used) for campaign, user in got.iter_rows() if user in row]
    user = np.array([at for at, _ in rows], np.int64)
    redeemed = np.array([yes for _, yes in rows], bool)
    return Redemptions(user, redeemed) if redeemed.any() and not redeemed.all() else None


def redemption_auc(
    labels: dict[str, np.ndarray], redemptions: Redemptions, resamples: int, seed: int = 0
) -> dict[str, tuple[float, ConfidenceInterval, ConfidenceInterval]]:
    """Of each segmentation [n]: AUC of the segment's rate of redeeming, its interval over users, and that of the lead
    of the first segmentation over it (paired).

    The rate is learned from one half of the users; AUC is within the other, ties count half.
    """
    users = np.unique(redemptions.user)
    number = np.searchsorted(users, redemptions.user)
    plain = np.ones((1, len(number)))
    weights = np.concatenate([plain, *user_weights(redemptions.user, resamples, seed)])
    aucs = {}
    for name, label in labels.items():
        code = np.unique(label[redemptions.user], return_inverse=True)[1]
        total = np.zeros(len(weights))
        for halving in range(HALVINGS):
            half = (np.random.default_rng([seed, halving]).permutation(len(users)) % 2)[number]
            for learned in (0, 1):
                total += _auc(code, redemptions.redeemed, half == learned, weights)
        aucs[name] = total / (2 * HALVINGS)
    first = next(iter(aucs.values()))
    return {
        name: (float(auc[0]), confidence_interval(auc[1:]), confidence_interval((first - auc)[1:]))
        for name, auc in aucs.items()
    }


def _auc(code: np.ndarray, redeemed: np.ndarray, known: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUC [R] of each resample's weights [R, m] among the rows not known, by the rates of those known; 0.5 where all
    or none of them redeemed.
    """
    size = code.max() + 1
    # A prior of one row at everybody's rate keeps segments without rows in the middle.
    rate = (np.bincount(code[known], redeemed[known], size) + redeemed[known].mean()) / (
        np.bincount(code[known], minlength=size) + 1
    )
    return np.nan_to_num(auc(redeemed[~known], rate[code[~known]], weights[:, ~known]), nan=0.5)
