"""The backbones of a config, compared with the GRU.

python scripts/sweep.py --config=configs/amazon_beauty.py --sweep=configs/sweeps/backbone.py --out=runs/backbones
"""

from configs.common import BACKBONES
from configs.sweeps.common import Member, Sweep


def get_sweep() -> Sweep:
    """One member a backbone."""
    return Sweep("gru", {name: Member(argument=f"model={name}") for name in BACKBONES})
