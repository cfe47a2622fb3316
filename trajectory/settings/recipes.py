"""Settings that several presets share: the published benchmarks, what suits single events, and the `tiny` switch."""

from __future__ import annotations

from dataclasses import dataclass

from ml_collections import ConfigDict

from trajectory.settings.arguments import parse_arg
from trajectory.settings.by_hand import fill
from trajectory.settings.config import base
from trajectory.settings.fields import RECURRENT
from trajectory.settings.watched import watched

TINY = "_tiny"  # behind the name of a config that was shrunk


@dataclass(frozen=True)
class Benchmark:
    """The recipe of the published leave-one-out benchmarks, from item ids alone; fields are named as in the config."""

    rows: int = 32
    length: int = 64
    width: int = 256
    cell: str = "gru"
    dropout: float = 0.5
    event_dropout: float = 0.1
    power: float = 0.3

    def config(self, arg: str, source: str) -> ConfigDict:
        """The config of one domain. Arguments: model, tiny."""
        args = parse_arg(arg, model="hybrid")
        c = base(args.model)
        c.name = c.data.source = source
        c.batch.rows, c.batch.length, c.batch.targets = self.rows, self.length, self.length
        c.model.inputs = ("item",)
        c.model.width, c.model.cell, c.model.dropout = self.width, self.cell, self.dropout
        c.model.event_dropout = 0.0 if args.model in RECURRENT else self.event_dropout  # not tried with these
        c.train.epochs = 15 if args.model in RECURRENT else 12
        learn_from_events(c, self.power)
        return shrink(c) if args.tiny else c


def learn_from_events(c: ConfigDict, power: float) -> None:
    """Sets what was found best where steps are single events (RESULTS.md): layers of model.width, rate, loss, start."""
    if c.model.backbone in RECURRENT:  # one wide layer learns far more than two narrow ones
        fill(c, {"model.width": 64, "model.dropout": 0.8 * c.model.dropout, "optim.learning_rate": 3e-3})
        fill(c, {"model.layers": (2 * c.model.width,)})
    else:
        fill(c, {"model.layers": (c.model.width,) * 2, "optim.learning_rate": 1.5e-3})
    fill(c, {"optim.schedule": "cosine", "optim.average": 0.995, "train.pseudospherical_order": power})
    fill(
        c,
        {
            "train.smoothing": 0.0 if c.train.pseudospherical_order or c.model.repeat else 0.1,
            "init.item_vectors": "co_occurrence",
        },
    )
    # What is trained is sharper by 1 / (1 - power): cosines / 0.07.
    fill(c, {"model.temperature": 0.07 / (1 - c.train.pseudospherical_order)})


def own_log(
    source: str, name: str, model: str = "hybrid", split: str = "leave_one_out", tiny: bool = False
) -> ConfigDict:
    """The recipe of anyone's log, whose sizes, length and epochs are set from the data (training/auto_config.py).

    It is watched: what is assigned to it, in a copy of the preset own_log too, is set by hand.
    """
    c = base(model)
    c.name, c.data.source = name, source
    c.auto_config = "auto"
    c.evaluation.seen = "auto"
    c.split.kind, c.split.target = split, "auto"
    if tiny:
        c.auto_config = "fixed"
        learn_from_events(c, power=0.0)
        shrink(c)
    return watched(c)


def for_insights(c: ConfigDict) -> ConfigDict:
    """Sets what pages for a merchant need: a split by time, so that what is said of the time after the cut can be held
    against what came, and forecasts of several steps with the days until they come. Returns the same config, changed.
    """
    fill(c, {"split.kind": "temporal", "split.target": "all"})
    fill(c, {"forecast.steps": 2 if c.name.endswith(TINY) else 10})
    fill(c, {"split.steps": c.forecast.steps, "heads.horizon": c.forecast.steps, "train.monitor": "ahead_ndcg@10"})
    fill(c, {"heads.interest": 0.0, "heads.time": 0.1})
    return c


def shrink(c: ConfigDict) -> ConfigDict:
    """The `tiny` switch: 50,000 events, small widths, short rows and 200 steps. Returns the same config, changed."""
    c.name += TINY
    fill(c, {"split.most_events": 50_000, "model.width": 16, "batch.rows": 8, "batch.length": 32})
    fill(
        c,
        {
            "model.layers": (c.model.width,) * len(c.model.layers),
            "batch.targets": min(c.batch.targets, c.batch.length),
            "batch.target_items": min(c.batch.target_items, 4),
            "train.epochs": 2,
            "train.min_steps": 200,
            "batch.max_batches": 100,
            "train.eval_users": 200,
            "evaluation.bootstrap": 50,
            "forecast.steps": 2,
            "forecast.paths": 20,
            "forecast.users": 20,
            "forecast.particles": 4,
        },
    )
    return c
