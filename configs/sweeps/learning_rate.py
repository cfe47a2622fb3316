"""Learning rate by dropout.

trajectory sweep --config=amazon_beauty --sweep=learning_rate --out=runs/rates
"""

from trajectory.tuning.members import Sweep, grid


def get_sweep() -> Sweep:
    """Six members."""
    return grid(
        {"optim.learning_rate": (7.5e-4, 1.5e-3, 3e-3), "model.dropout": (0.2, 0.5)},
        base={"optim.learning_rate": 1.5e-3, "model.dropout": 0.5},
    )
