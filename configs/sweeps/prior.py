"""What the prior should begin with in a log: each of its numbers smaller and larger than it is, the others as they are.

trajectory sweep --config=finetune:target=amazon_health --sweep=prior \
    --out=runs/prior --config.train.epochs=0 --metrics=ndcg@10,hr@10
"""

from trajectory.tuning.members import Member, Sweep

FIELDS = {
    "sharpness": (5.0, 7.0, 14.0, 20.0),
    "popularity": (0.3, 0.45, 0.75, 0.9),
    "neighbour_shrinkage": (5.0, 10.0, 40.0, 80.0),
}


def get_sweep() -> Sweep:
    """The default numbers, the base, and members named by the one that is another."""
    members = {"default": Member()}
    for name, values in FIELDS.items():
        members |= {f"{name}={value:g}": Member({f"content.{name}": value}) for value in values}
    return Sweep("default", members)
