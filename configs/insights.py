"""What the merchant acts on: one model for recommendations, segments, audiences and demand, split by time.

All before the cut is learned from, so that what is said of the weeks after it can be held against what came.

trajectory train --config=insights --workdir=runs/insights
trajectory insights --workdir=runs/insights
"""

from ml_collections import ConfigDict

from trajectory.presets import complete_journey
from trajectory.settings import parse_arg, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: cut (ISO date: twelve whole weeks of Complete Journey are after the default), model, tiny."""
    args = parse_arg(arg, cut="2017-10-09", model="gru")
    c = complete_journey.get_config(f"model={args.model}")
    c.name += "_insights"
    c.split.kind, c.split.cut, c.split.target = "temporal", args.cut, "all"
    if args.tiny:
        shrink(c)
    else:
        c.forecast.steps = 10
    c.split.steps = c.heads.horizon = c.forecast.steps
    c.train.monitor = "ahead_ndcg@10"
    c.heads.interest, c.heads.time = 0.0, 0.1
    return c
