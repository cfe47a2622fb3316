"""A config for anyone's log that needs no tuning by hand: sizes, length and epochs from the data, and each said."""

from __future__ import annotations

import logging

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.sessions import predicted_after
from trajectory.data.pipeline.splits import target_starts, training_events
from trajectory.data.store.arrays import repeat_share
from trajectory.schema import Histories, Split
from trajectory.settings import base, fill, plain, shown
from trajectory.settings.by_hand import patience
from trajectory.settings.recipes import learn_from_events

_LOGGER = logging.getLogger(__name__)

BUDGET = 60  # TFLOP of softmax in all
WIDTHS = (64, 128)
BATCH = 2048  # events
EPOCHS, STEPS = 12, 1000  # of training at least, where steps are single events and BUDGET allows it
RARE = 30  # training events of an item: below it a model soon learns by heart
USUAL = 0.05  # share of events that repeat an item of their user, above which repeats are usual
WARMUP = 0.2  # share of training at most: what ends within its warm-up learns hardly anything
MOST_EPOCHS = 20  # that train.min_steps asks for
MOST_LINES = 16  # of a basket that are trained on at one time


def decide_split_target(config: ConfigDict) -> ConfigDict:
    """The config with split.target=auto decided: where several steps are forecast, all of a window are asked for."""
    c = plain(config)
    if c.split.target == "auto":
        c.split.target = "all" if c.heads.horizon > 1 else "last"
        if c.split.kind == "temporal":
            _LOGGER.info(f"split.target = {c.split.target}  (heads.horizon={c.heads.horizon}: steps that are forecast)")
    return c


def decide_seen(config: ConfigDict, histories: Histories, split: Split) -> ConfigDict:
    """The config with evaluation.seen=auto decided: where users come back to what they had, that stays a candidate.

    Says the opposite of a hand-set filter that the log does not fit.
    """
    c = plain(config)
    repeats = repeat_share(histories, split.train_end)
    usual = repeats > USUAL
    share = f"{repeats:.1%} of training targets repeat an earlier one of their user"
    if c.evaluation.seen == "auto":
        c.evaluation.seen = "keep" if usual else "filter"
        _LOGGER.info(f"evaluation.seen = {c.evaluation.seen}  ({share})")
    elif c.evaluation.seen == "filter" and usual:
        _LOGGER.warning(f"evaluation.seen = filter, though {share}: lists and forecasts are of the other items alone")
    return c


def decide_after(config: ConfigDict, histories: Histories) -> ConfigDict:
    """The config with batch.after=auto decided: training predicts from where the split asks.

    A window's purchases are asked for from before it, mostly between visits; within one, the last view or cart tells
    the next purchase, and a model that is mostly asked there learns little else.
    """
    c = plain(config)
    if c.batch.after == "auto":
        read = not histories.only_targets and histories.has_time and not c.heads.conversion
        between = read and c.split.kind == "temporal" and c.split.target == "all"
        c.batch.after = "session" if between else "step"
        if between:
            _LOGGER.info("batch.after = session  (split.target=all asks between visits, where training predicts too)")
    return c


def decide_sizes(config: ConfigDict, histories: Histories, split: Split) -> ConfigDict:
    """A copy of the config with what the data decides filled in, but for what was set by hand, from which the rest
    follows; prints each choice with its reason.
    """
    c = plain(config)
    c.auto_config = "fixed"
    lengths = split.train_end - histories.offsets[:-1]
    events, users = int(lengths.sum()), histories.num_users
    items = histories.num_items
    typical = float(np.quantile(lengths, 0.95))
    longest = 200 if typical > 128 else 128
    fill(c, {"batch.length": int(np.clip(1 << int(np.ceil(np.log2(max(typical, 8)))), 32, longest))})
    place = "session" if c.batch.after == "session" else "step"
    ends = predicted_after(histories, c.batch.after) + 1
    steps = int((ends <= split.train_end[np.searchsorted(histories.offsets, ends) - 1]).sum())
    lines = events / max(steps, 1)
    target_lines = _lines_of_targets(histories, split)
    rows = max(2, -(-BATCH // c.batch.length))
    repeats = repeat_share(histories, split.train_end)
    pointed = repeat_share(histories, split.train_end, of_any=True)
    fill(
        c,
        {
            # A state is asked for where a step ends. Rows differ in how many do; with fewer places they could not be
            # filled.
            "batch.targets": min(c.batch.length, int(np.ceil(1.75 * c.batch.length / max(lines, 1)))),
            "batch.target_items": min(MOST_LINES, int(np.ceil(2 * target_lines))) if histories.baskets else 1,
            "batch.basket_power": 0.5,  # the best on Complete Journey; 1 line weighs 1 in any case
            "batch.rows": rows + rows % 2,
            "model.repeat": pointed > USUAL,
            "evaluation.seen": "keep" if repeats > USUAL else "filter",
            "heads.interest": 0.1 if len(histories.interests) > 1 else 0.0,
            "optim.warmup_steps": base().optim.warmup_steps,
        },
    )
    per_item = events / max(items, 1)
    places = events * c.batch.targets / c.batch.length

    def work(width: int) -> float:
        """TFLOP of the softmax over the catalogue, nearly all of the work: three products of N x V x D (item_loss)."""
        return 6 * places * items * width / 1e12

    fewest = 20 if histories.baskets else EPOCHS
    wide = max((w for w in WIDTHS if events >= 100_000 and work(w) * fewest <= BUDGET), default=WIDTHS[0])
    fill(c, {"model.width": wide, "model.dropout": 0.5 if per_item < RARE else 0.3 if per_item < 100 else 0.2})
    affordable = min(BUDGET / max(work(c.model.width), 1e-9), 10_000_000 / max(events, 1))
    if histories.baskets:
        fill(c, {"model.layers": (c.model.width,) * 2, "optim.learning_rate": 5e-4 if c.model.width > 64 else 1e-3})
        fill(c, {"train.epochs": int(np.clip(affordable, 4, 60))})
        fill(c, {"train.patience_epochs": max(3, min(8, c.train.epochs // 4))})
    else:
        learn_from_events(c, power=0.3 if per_item < RARE and not c.model.repeat else 0.0)
        least = max(EPOCHS, STEPS * BATCH / max(events, 1))
        fill(c, {"train.epochs": int(np.clip(min(affordable, least), 4, 60))})
        fill(c, {"train.patience_epochs": patience(c.train.epochs)})
    reasons = {
        "batch.length": f"95 % of training histories have at most {typical:.0f} events",
        "batch.rows": "about 2,000 events a batch",
        "batch.targets": f"{lines:.1f} events a {place}; the state after each {place} predicts the next one",
        "batch.target_items": "lines of the next basket" if histories.baskets else "steps are single events",
        "batch.basket_power": "between every basket alike and every line alike",
        "model.repeat": f"{pointed:.1%} of training targets are of an item that an earlier event of their user has",
        "evaluation.seen": "seen items are candidates where repeats are usual",
        "heads.interest": f"{len(histories.interests)} interests",
        "model.width": f"{work(c.model.width):.2f} TFLOP of softmax an epoch",
        "model.layers": "one wide layer of a recurrent model, else two",
        "model.dropout": f"{per_item:.1f} training events an item",
        "optim.learning_rate": "at most",
        "optim.warmup_steps": f"steps until the peak, at most {WARMUP:.0%} of training",
        "optim.schedule": "steps are baskets" if histories.baskets else "steps are single events",
        "optim.average": "decay a step of the average that is kept; 0 = none",
        "init.item_vectors": "steps are baskets" if histories.baskets else "training need not find neighbours first",
        "model.temperature": "cosines over this" if c.model.temperature else "dot products",
        "train.pseudospherical_order": f"a target counts by its probability to this where items have < {RARE} events",
        "train.smoothing": "share of a target spread over all items; 0 beside a power, a repeat head and for baskets",
        "train.epochs": f"at most {BUDGET} TFLOP and 10 million events in all"
        + ("" if histories.baskets else f", at least {EPOCHS} or {STEPS} steps"),
        "train.patience_epochs": "epochs without a better validation before it ends",
    }
    _LOGGER.info(f"auto-config for {users:,} users, {events:,} training events, {items:,} items:")
    for name, reason in (reasons | dict.fromkeys(c.by_hand, "set by hand")).items():
        _LOGGER.info(f"  {shown(c, name)}  ({reason})")
    return c


def _lines_of_targets(histories: Histories, split: Split) -> float:
    """Target events of a target step, mean over the steps of training."""
    starts = target_starts(histories)
    user_end = split.train_end[np.searchsorted(histories.offsets, starts, side="right") - 1]
    events = histories.has_role("target") & training_events(histories, split)
    return int(events.sum()) / max(int((starts < user_end).sum()), 1)


def decide_epochs(config: ConfigDict, batches: int) -> ConfigDict:
    """The config with the epochs that train.min_steps needs, of so many batches each."""
    c = plain(config)
    epochs = min(-(-c.train.min_steps // batches), MOST_EPOCHS)
    if epochs > c.train.epochs and "train.epochs" not in c.by_hand:
        c.train.epochs = epochs
        _LOGGER.info(f"train.epochs = {epochs}  (train.min_steps={c.train.min_steps}, up to {MOST_EPOCHS} epochs)")
    return c


def decide_warmup(config: ConfigDict, steps: int) -> ConfigDict:
    """The config for a training of so many steps, of which the warm-up takes a share at most unless set by hand."""
    c = plain(config)
    most = int(WARMUP * steps)
    if c.optim.warmup_steps > most and "optim.warmup_steps" not in c.by_hand:
        c.optim.warmup_steps = most
        _LOGGER.info(f"optim.warmup_steps = {most}  (at most {WARMUP:.0%} of {steps} steps)")
    return c
