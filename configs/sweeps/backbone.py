"""The backbones of a config, compared with the GRU.

trajectory sweep --config=amazon_beauty --sweep=backbone --out=runs/backbones
"""

from trajectory.settings.fields import BACKBONES
from trajectory.tuning.members import Member, Sweep


def get_sweep() -> Sweep:
    """One member a backbone."""
    return Sweep("gru", {name: Member(argument=f"model={name}") for name in BACKBONES})
