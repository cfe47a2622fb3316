"""What each part of the benchmark recipe brings, one changed at a time.

python scripts/sweep.py --config=configs/amazon_beauty.py --sweep=configs/sweeps/tricks.py --out=runs/tricks --seeds=0
"""

from typing import Any

from configs.sweeps.common import Member, Sweep


def get_sweep() -> Sweep:
    """The recipe as it is, and members named by what differs."""
    changes: dict[str, dict[str, Any]] = {
        "dot_products": {"model.temperature": 0.0},
        "random_vectors": {"init.item_vectors": "random"},
        "no_average": {"optim.average": 0.0},
        "no_smoothing": {"train.smoothing": 0.0},
        "smoothing_0.2": {"train.smoothing": 0.2},
        "no_offset": {"batch.position_offset": False},
        "plain": {
            "model.temperature": 0.0,
            "init.item_vectors": "random",
            "optim.average": 0.0,
            "batch.position_offset": False,
            "train.smoothing": 0.0,
        },
        "temperature_0.05": {"model.temperature": 0.05},
        "temperature_0.1": {"model.temperature": 0.1},
        "negatives_256": {"train.negatives": 256, "train.smoothing": 0.0},
        "width_64": {"model.width": 64, "model.layers": (64, 64)},
        "width_256": {"model.width": 256, "model.layers": (256, 256)},
        "depth_1": {"model.layers": (128,)},
        "depth_3": {"model.layers": (128, 128, 128)},
        "dropout_0.3": {"model.dropout": 0.3},
        "length_32": {"batch.rows": 64, "batch.length": 32, "batch.targets": 32},
    }
    backbones = {f"{name}_alone": Member(argument=f"model={name}") for name in ("transformer", "gru", "lstm")}
    changed = {name: Member(fields) for name, fields in changes.items()}
    return Sweep("recipe", {"recipe": Member()} | backbones | changed)
