"""What each part brings where purchases are predicted from views and carts too, taken out one at a time.

trajectory sweep --config=trajectories:domain=taobao_behavior,direct=no --config.data.target_types=purchase, \
    --config.split.kind=temporal --config.split.target=all --sweep=next_purchase --out=runs/next_purchase
"""

from trajectory.tuning.members import Member, Sweep

INPUTS = ("item", "event_type", "gap", "calendar")


def get_sweep() -> Sweep:
    """The gru as it is, other backbones, and members named by what they lack, or have more."""
    members = {name: Member({}, f"model={name}") for name in ("gru", "lstm", "transformer")}
    for name in INPUTS[1:]:
        left = tuple(other for other in INPUTS if other != name)
        members[f"without_{name}"] = Member({"model.inputs": left}, "model=gru")
    members["with_counts"] = Member({"model.inputs": (*INPUTS, "counts")}, "model=gru")
    members["after_each_step"] = Member({"batch.after": "step"}, "model=gru")
    members["without_repeat"] = Member({"model.repeat": False}, "model=gru")
    members["without_waits"] = Member({"heads.time": 0.0}, "model=gru")
    return Sweep("gru", members)
