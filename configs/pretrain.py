"""One model of several domains, from the content of their items: where a run on a target begins (`finetune`).

trajectory train --config=pretrain:target=amazon_beauty --workdir=runs/sources
"""

from ml_collections import ConfigDict

from trajectory.data.store.union import DOMAIN
from trajectory.schema import UserError
from trajectory.settings import RECURRENT, base, parse_arg, shrink

AMAZON = (
    "amazon_beauty",
    "amazon_books",
    "amazon_clothing",
    "amazon_electronics",
    "amazon_health",
    "amazon_sports",
    "amazon_video_games",
)
SOURCES = {
    "amazon": AMAZON,
    "all": (
        *AMAZON,
        "complete_journey",
        "food_com",
        "lastfm",
        "movielens_1m",
        "stackoverflow_badges",
        "synthea_health",
        "taobao_behavior",
    ),
}


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: sources (amazon, all, or names with + between), target (left out of them), model, tiny."""
    args = parse_arg(arg, sources="amazon", target="", model="gru")
    names = tuple(name for name in SOURCES.get(args.sources, args.sources.split("+")) if name != args.target)
    if not names:
        raise UserError(f"sources={args.sources} without target={args.target} leaves nothing to learn from")
    c = base(args.model)
    c.name = f"pretrain_{args.sources}" + f"_without_{args.target}" * bool(args.target)
    c.sources.names = names
    c.data.interest_column = ""
    # Half of the users are counted, half train: how far counts can be trusted is the same then in a target's future.
    c.split.train_users, c.content.counted = 0.5, "others"
    c.train.monitor = "loss"
    c.train.pseudospherical_order = 0.3
    c.optim.schedule = "cosine"
    transferable(c)
    c.batch.rows, c.batch.length, c.batch.targets = 32, 64, 64
    c.train.negatives = 2048
    c.train.epochs = c.train.patience_epochs = 3
    c.train.eval_users = 2000
    return shrink(c) if args.tiny else c


def transferable(c: ConfigDict) -> ConfigDict:
    """Sets what a model has in all domains: items by their content, events by nothing else. Returns the same config."""
    c.content.by = "content"
    c.content.codes = ("price", DOMAIN)  # words of categories and brands are in the text, and other words elsewhere
    c.model.inputs = ("item",)
    c.model.width, c.model.layers = 128, (256,) if c.model.backbone in RECURRENT else (128, 128)
    c.model.dropout, c.model.event_dropout = 0.2, 0.1
    c.optim.learning_rate = 1e-3
    return c
