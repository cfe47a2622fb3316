"""What each part of the benchmark recipe brings to a transformer of width 64 in 8 epochs, one changed at a time.

trajectory sweep --config=amazon_beauty --sweep=ablation --out=runs/ablation \
    --seeds=0 --workers=2
"""

from typing import Any

from trajectory.tuning.members import Member, Sweep

SMALL: dict[str, Any] = {
    "model.width": 64,
    "model.layers": (64, 64),
    "model.dropout": 0.35,
    "model.event_dropout": 0.0,
    "train.epochs": 8,
}
CROSS_ENTROPY: dict[str, Any] = {"train.pseudospherical_order": 0.0, "model.temperature": 0.07}
CHANGES: dict[str, dict[str, Any]] = {
    "cross_entropy": CROSS_ENTROPY,
    "cross_entropy_dropout_0.5": CROSS_ENTROPY | {"model.dropout": 0.5},
    "dropout_0.2": {"model.dropout": 0.2},
    "dropout_0.5": {"model.dropout": 0.5},
    "event_dropout_0.1": {"model.event_dropout": 0.1},
    "dot_products": {"model.temperature": 0.0},
    "random_vectors": {"init.item_vectors": "random"},
    "constant_rate": {"optim.schedule": "constant"},
    "width_128": {"model.width": 128, "model.layers": (128, 128)},
    "depth_1": {"model.layers": (64,)},
    "depth_3": {"model.layers": (64, 64, 64)},
    "length_16": {"batch.rows": 128, "batch.length": 16, "batch.targets": 16},
    "power_0.5": {"train.pseudospherical_order": 0.5, "model.temperature": 0.14},
    "temperature_0.07": {"model.temperature": 0.07},
    "temperature_0.14": {"model.temperature": 0.14},
    "no_offset": {"batch.position_offset": False},
    "no_average": {"optim.average": 0.0},
    "smoothing_0.1": CROSS_ENTROPY | {"train.smoothing": 0.1},
    "negatives_256": {"train.negatives": 256},
    "none_of_these": {
        "model.temperature": 0.0,
        "init.item_vectors": "random",
        "optim.average": 0.0,
        "train.pseudospherical_order": 0.0,
        "batch.position_offset": False,
        "optim.schedule": "constant",
    },
}


def get_sweep() -> Sweep:
    """The transformer as it is, the other backbones, and members named by what differs."""
    members = {"transformer": Member(SMALL, "model=transformer"), "hybrid": Member(SMALL, "model=hybrid")}
    members |= {name: Member({"train.epochs": 8}, f"model={name}") for name in ("gru", "lstm")}
    members |= {name: Member(SMALL | change, "model=transformer") for name, change in CHANGES.items()}
    return Sweep("transformer", members)
