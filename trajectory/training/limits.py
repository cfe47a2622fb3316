"""Which fields of a config go together, so that none fails hours later, or trains nonsense: `check` before anything is
read, with what each field may be (settings/within.py), `check_data` once the log is known, and `doubts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ml_collections import ConfigDict

from trajectory.hints import setting
from trajectory.models.item_encoder import BESIDE
from trajectory.schema import Histories, Split, UserError
from trajectory.settings import within

AT_CUTOFFS = ("hr", "recall", "ndcg", "mrr")  # metrics of a list
WITHOUT_CUTOFF = ("loss", "log_loss", "accuracy", "interest_accuracy")
OF_CONVERSIONS = tuple(f"conversion_{name}" for name in ("auc", "accuracy", "log_loss", "calibration_error"))
GROUPS = ("_repeat", "_explore", "_cold")  # of targets, by which metrics are told apart


def check(config: ConfigDict) -> None:
    """Raises UserError for the first field whose value, or one of whose numbers, cannot be, or that fits no other."""
    within.check(config)
    for broken, rule in _together(config):
        if broken:
            raise UserError(rule)


def check_data(config: ConfigDict, histories: Histories) -> None:
    """Raises UserError where the config asks for what this log does not have."""
    if config.heads.interest and not histories.interests:
        raise UserError(
            "heads.interest needs interests, and this log's items have no data.interest_column; set it to 0"
        )
    if config.heads.time and not histories.has_time:
        raise UserError("heads.time needs the times of events, and this log has none; set it to 0")
    if config.distil.teachers and histories.baskets:
        raise UserError("distil.teachers predict single events, and steps are baskets here; leave them out")


def doubts(config: ConfigDict, split: Split, batches: int) -> Iterator[str]:
    """What may be set as it is, but leads to little that is learned or measured; `batches` are those of an epoch."""
    steps, warmup = batches * config.train.epochs, config.optim.warmup_steps
    if steps <= warmup and "optim.warmup_steps" in config.by_hand:
        yield (
            f"this training is {steps:,} steps, all within the warm-up of {warmup:,}: its learning rate stays low, and "
            f"hardly anything is learned; {setting('optim.warmup_steps', steps // 10)} helps, or more train.epochs"
        )
    targets, users = len(split.test.user), len(split.train_end)
    if 2 * targets < users:
        yield (
            f"only {targets:,} of {users:,} users have as many steps as split.kind={split.kind} needs to hold some "
            "out: what is measured is of them alone"
        )


def _together(config: ConfigDict) -> Iterator[tuple[bool, str]]:
    """Each rule about fields that exclude or need each other: whether it is broken, and what to do."""
    c, model, train, content = config, config.model, config.train, config.content
    if model.backbone in ("transformer", "hybrid"):
        yield (
            len(set(model.layers)) != 1 or model.layers[0] % model.attention_heads != 0,
            f"a {model.backbone} needs model.layers of one width, a multiple of its {model.attention_heads} heads; got "
            f"{tuple(model.layers)}",
        )
    yield (
        config.batch.after == "session" and bool(c.heads.conversion),
        "batch.after=session leaves out most events, and conversions are asked after each; set batch.after=step",
    )
    strange = sorted(set(model.inputs) - {"item", *BESIDE})
    yield bool(strange), f"model.inputs names {', '.join(strange)}; expected some of item, {', '.join(BESIDE)}"
    for name in ("smoothing", "pseudospherical_order"):
        yield (
            bool(train[name] and model.repeat),
            f"train.{name} is for a plain softmax; set it to 0, or model.repeat=False",
        )
    yield (
        bool(train.smoothing and (train.negatives or train.pseudospherical_order)),
        "train.smoothing is for cross-entropy over all items; set it to 0, or train.negatives=0 and "
        "train.pseudospherical_order=0",
    )
    yield (
        train.epochs > 0 and not train.patience_epochs,
        f"train.patience_epochs=0 ends training before its first of train.epochs={train.epochs}; expected at least 1",
    )
    yield (
        not (train.epochs or (train.min_steps and "train.epochs" not in c.by_hand))
        and not (c.init.init_from or c.init.resume_from)
        and content.by == "ids",
        "train.epochs=0 measures what is known before training, and nothing is: set init.init_from or content.by, or "
        "train an epoch",
    )
    name, at, cutoff = train.monitor.removeprefix("ahead_").removeprefix("within_").partition("@")
    measured = [f"{metric}@{k}" for metric in AT_CUTOFFS for k in c.evaluation.cutoffs]
    yield (
        bool(at) and f"{name}@{cutoff.partition('_')[0]}" not in measured,
        f"train.monitor={train.monitor!r} is not measured; with evaluation.cutoffs={tuple(c.evaluation.cutoffs)} "
        f"choose one of {', '.join(measured)}",
    )
    others = (*WITHOUT_CUTOFF, *(OF_CONVERSIONS if c.heads.conversion else ()))
    plain = next((name.removesuffix(group) for group in GROUPS if name.endswith(group)), name)
    yield (
        not at and plain not in others,
        f"train.monitor={train.monitor!r} is not measured; choose one of {', '.join((*others, *measured))}",
    )
    yield (
        bool(at and c.heads.conversion and not c.heads.item),
        f"train.monitor={train.monitor!r} is of items, and heads.item=0: set train.monitor=conversion_auc",
    )
    if train.shard_items:
        yield train.strategy != "jit", "train.shard_items needs train.strategy=jit"
        yield content.by != "ids", "train.shard_items splits a table of ids; set it to False, or content.by=ids"
        yield (
            bool(train.negatives),
            "train.negatives draws from a whole item table; set train.shard_items=False, or negatives to 0",
        )
        yield (
            bool(train.smoothing),
            "train.smoothing needs a whole item table; set train.shard_items=False, or smoothing to 0",
        )
    yield (
        content.by != "ids" and content.counted == "others" and c.split.train_users == 1,
        "content.counted=others counts users who do not train; set split.train_users below 1",
    )
    yield (
        "content" in c.init.item_vectors and content.by != "content" and not content.frozen,
        "init.item_vectors=co_occurrence+content compares numbers of content.frozen, and that is 0",
    )
    yield (
        bool(c.sources.weights) and len(c.sources.weights) != len(c.sources.names),
        f"sources.weights: expected one for each of {', '.join(c.sources.names)}, got {len(c.sources.weights)}",
    )
