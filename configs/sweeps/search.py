"""A search over what matters most in a sequence model.

trajectory search --config=amazon_beauty --search=search --out=runs/search
"""

from typing import Any


def suggest(trial: Any) -> dict[str, Any]:
    """Config fields of one trial; `trial` is Optuna's."""
    width = trial.suggest_categorical("width", (64, 128))
    return {
        "optim.learning_rate": trial.suggest_float("learning_rate", 1e-4, 3e-3, log=True),
        "model.dropout": trial.suggest_float("dropout", 0.1, 0.6),
        "model.width": width,
        "model.layers": (width, width),
    }
