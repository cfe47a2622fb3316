"""What the merchant acts on: one model for recommendations, segments, audiences and demand, split by time.

All before the cut is learned from, so that what is said of the weeks after it can be held against what came.

trajectory train --config=insights --workdir=runs/insights
trajectory insights --workdir=runs/insights
"""

from ml_collections import ConfigDict

from trajectory.presets import complete_journey
from trajectory.settings import parse_arg, recipes, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: cut (ISO date: twelve whole weeks of Complete Journey are after the default), model, tiny."""
    args = parse_arg(arg, cut="2017-10-09", model="gru")
    c = complete_journey.get_config(f"model={args.model}")
    c.name += "_insights"
    if args.tiny:
        shrink(c)
    c.split.cut = args.cut
    return recipes.for_insights(c)
