"""Whether a purchase follows, asked of users, sessions and carts, by each backbone beside the counting baselines.

trajectory sweep --config=taobao_behavior --sweep=conversion --out=runs/conversion
"""

from trajectory.data.pipeline.conversion_labels import UNITS
from trajectory.tuning.members import Member, Sweep

BACKBONES = ("gru", "lstm", "transformer")


def get_sweep() -> Sweep:
    """One member a unit and backbone."""
    return Sweep(
        "user_gru",
        {f"{u}_{name}": Member(argument=f"model={name},unit={u}") for u in UNITS for name in BACKBONES},
    )
