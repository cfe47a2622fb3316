"""Complete Journey, one year of grocery baskets: product types as items, the next basket as the next step.

The data is simulated from real grocery patterns (its authors: not for academic research).

trajectory train --config=complete_journey:model=gru --workdir=runs/groceries
"""

from ml_collections import ConfigDict

from trajectory.settings import RECURRENT, base, parse_arg, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: model, tiny."""
    args = parse_arg(arg)
    c = base(args.model)
    c.name = "complete_journey"
    c.note = "Complete Journey is simulated data based on real grocery shopping patterns; not for academic research."
    c.data.source = "complete_journey"
    # Households have 590 events on average: a longer memory is better on validation, but attention pays its square.
    long = args.model in RECURRENT
    c.batch.rows, c.batch.length, c.batch.targets = (16, 512, 96) if long else (32, 256, 48)
    c.batch.target_items = 16
    c.batch.basket_power = 0.5
    c.model.width, c.model.layers = 64, (64, 64)
    c.model.repeat = True
    c.model.dropout = 0.1
    c.heads.interest = 0.1
    c.optim.learning_rate = 3e-3
    c.optim.schedule = "cosine"
    c.evaluation.seen = "keep"
    c.evaluation.decay = 0.97  # a better baseline here than 0.9 on validation
    c.train.epochs, c.train.patience_epochs = 3 if long else 6, 2  # 3 are too few for the transformer
    c.train.eval_users = 1000
    c.forecast.steps, c.forecast.paths, c.forecast.users = 5, 50, 100
    return shrink(c) if args.tiny else c
