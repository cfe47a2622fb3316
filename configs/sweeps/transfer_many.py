"""Whether it pays to begin with what other domains taught, where a target has many users to learn from.

python scripts/sweep.py --config=configs/finetune.py:target=amazon_beauty,init=runs/sources \
    --sweep=configs/sweeps/transfer_many.py --out=runs/many --seeds=0
"""

from configs.sweeps.common import Sweep
from configs.sweeps.transfer_few import starts


def get_sweep() -> Sweep:
    """Of all users and of 20 % of them."""
    return starts(1.0, 0.2)
