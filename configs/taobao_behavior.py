"""Taobao behaviour, nine days of views, carts, favourites and purchases: who will purchase within a day, or what next.

Split by time: what happens after the cut is seen neither by training nor by the vocabulary.

trajectory train --config=taobao_behavior:model=lstm --workdir=runs/conversion
trajectory train --config=taobao_behavior:model=lstm,target=item --workdir=runs/next_item
"""

from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings import base, parse_arg, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: target (conversion or item), unit (user, session or cart: after what a conversion is asked), model,
    tiny.
    """
    args = parse_arg(arg, target="conversion", unit="user")
    c = base(args.model)
    c.name = "taobao_behavior"
    c.data.source = "taobao_behavior"
    c.split.kind, c.split.quantile, c.split.target = "temporal", 0.8, "all"
    c.batch.rows, c.batch.length, c.batch.targets = 16, 128, 128
    c.model.dropout = 0.3
    c.evaluation.seen = "keep"
    c.train.epochs, c.train.patience_epochs = 20, 5
    if args.target == "conversion":
        # 800 users: items, hours and wide layers are learned by heart. Counts carry most of what can be known.
        # The calendar helps within sessions and does harm over days, of which training has too few.
        c.model.inputs = ("event_type", "gap", "counts", *(("calendar",) if args.unit == "session" else ()))
        c.model.width, c.model.layers = 16, (16,)
        c.heads.item, c.heads.conversion = 0.0, 1.0
        c.conversion.event_type, c.conversion.horizon_days = "purchase", 1.0
        c.conversion.unit = args.unit
        c.optim.learning_rate, c.train.epochs = 3e-3, 40
        c.train.monitor = "conversion_auc"
    elif args.target == "item":
        c.model.repeat = True
        c.heads.interest = 0.5
    else:
        raise UserError(f"expected target=conversion or target=item, got target={args.target!r}")
    return shrink(c) if args.tiny else c
