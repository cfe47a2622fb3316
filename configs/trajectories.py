"""Several steps ahead: the last H steps of each user are held out, and each of the next H is forecast.

trajectory train --config=trajectories:domain=complete_journey --workdir=runs/ahead
"""

from ml_collections import ConfigDict

from trajectory.presets import amazon_beauty, complete_journey, movielens_1m, taobao_behavior
from trajectory.schema import UserError
from trajectory.settings import base, parse_arg, shrink

DOMAINS = (
    "complete_journey",
    "complete_journey_departments",
    "taobao_behavior",
    "amazon_beauty",
    "movielens_1m",
    "stackoverflow_badges",
)


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: domain (complete_journey, the default; complete_journey_departments, taobao_behavior, amazon_beauty,
    movielens_1m or stackoverflow_badges), direct (yes: heads for each step; no: for the next one only), model, tiny.
    """
    args = parse_arg(arg, domain="complete_journey", direct=True, model="gru")
    if args.domain not in DOMAINS:
        raise UserError(f"domain={args.domain} is unknown; expected one of {', '.join(DOMAINS)}")
    c = _DOMAIN[args.domain](args.model)
    c.name += "_ahead"
    c.split.kind = "leave_last"
    if args.tiny:
        shrink(c)
    else:
        c.forecast.steps = 3 if args.domain == "amazon_beauty" else 10  # histories of Amazon Beauty are short
    c.split.steps = c.forecast.steps
    if args.direct:
        c.heads.horizon, c.train.monitor = c.split.steps, "ahead_ndcg@10"
    c.heads.interest, c.heads.time = 0.0, 0.1
    return c


def _complete_journey(model: str) -> ConfigDict:
    """Product categories; a step is a basket."""
    c = complete_journey.get_config(f"model={model}")
    c.data.item_column, c.data.interest_column = "category", "department"
    c.model.width = 128
    c.train.epochs = c.train.patience_epochs = 8
    return c


def _departments(model: str) -> ConfigDict:
    """Departments; for the comparison of whole sequences, which HoTPP makes between few labels."""
    c = _complete_journey(model)
    c.name += "_departments"
    c.data.item_column = "department"
    return c


def _taobao(model: str) -> ConfigDict:
    """Categories; a step is an event of any kind."""
    c = taobao_behavior.get_config(f"model={model},target=item")
    c.data.item_column = "category"
    return c


def _badges(model: str) -> ConfigDict:
    c = base(model)
    c.name = c.data.source = "stackoverflow_badges"
    c.batch.rows, c.batch.length, c.batch.targets = 32, 128, 128
    c.model.repeat = True
    c.evaluation.seen = "keep"
    c.optim.learning_rate, c.optim.schedule = 3e-3, "cosine"
    c.train.epochs, c.train.patience_epochs = 10, 10
    return c


_DOMAIN = {
    "complete_journey": _complete_journey,
    "complete_journey_departments": _departments,
    "taobao_behavior": _taobao,
    "amazon_beauty": lambda model: amazon_beauty.get_config(f"model={model}"),
    "movielens_1m": lambda model: movielens_1m.get_config(f"model={model}"),
    "stackoverflow_badges": _badges,
}
