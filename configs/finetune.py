"""A target domain, from scratch or from a run of `pretrain`.

trajectory train --config=finetune:target=amazon_beauty,init=runs/sources --workdir=runs/target
"""

import importlib
from pathlib import Path

from ml_collections import ConfigDict

from trajectory.presets.pretrain import transferable
from trajectory.schema import UserError
from trajectory.settings import Benchmark, parse_arg, shrink

STARTS = ("scratch", "pretrained", "frozen", "zero_shot")
NEAR = "near+"
LONGEST = 60  # epochs; with few users an epoch has few steps


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: target (a domain), init (workdir of a pretrained run), start (scratch; pretrained, the default with
    init; frozen: only what reads the states learns; zero_shot: nothing does, what reads the states is of the sources
    too), by (what an item is known by: ids, prior+ids, content or content+ids; with near+ before it, vectors of ids
    begin near those of like content), users (share of the target's users that train), model, tiny.
    """
    args = parse_arg(arg, target="amazon_beauty", init="", start="", by="content", users=1.0, model="gru")
    start = args.start or ("pretrained" if args.init else "scratch")
    if start not in STARTS:
        raise UserError(f"start={start} is unknown; expected one of {', '.join(STARTS)}")
    if start != "scratch" and not args.init:
        raise UserError(f"start={start} needs init=WORKDIR of a run of `pretrain`")
    c = _own(args.target, args.model)
    c.name = f"{args.target}_{start}_{args.by.replace('+', '_')}"
    c.split.train_users = args.users
    by = args.by.removeprefix(NEAR)
    if by in ("content", "content+ids"):
        transferable(c)
        if c.batch.target_items == 1:  # steps are events
            c.train.negatives = 2048
    c.content.by = by
    if by != args.by:
        c.init.item_vectors = "co_occurrence+content"
    if by != "ids":
        c.model.temperature = 0.0  # the prior (trajectory/models/content_prior.py) has a sharpness of its own
    if start != "scratch":
        c.init.init_from = args.init
        # What the sources teach the prior is right for their likelihood, and ranks worse elsewhere (RESULTS.md).
        c.init.rules = (("prior/*", "skip"),)
    if start in ("pretrained", "frozen"):
        c.init.rules += (("narrow/*", "skip"),)
    if start == "frozen":
        c.init.rules += tuple((f"{part}/*", "freeze") for part in ("items", "event", "backbone"))
    c.train.epochs = round(min(c.train.epochs / args.users, LONGEST))
    c.train.patience_epochs = c.train.epochs // 3
    if args.tiny:
        shrink(c)
    if start == "zero_shot":
        c.train.epochs = 0
    return c


def _own(target: str, model: str) -> ConfigDict:
    """The target's own config, or that of the leave-one-out benchmarks for a domain that has none."""
    if (Path(__file__).parent / f"{target}.py").is_file():
        return importlib.import_module(f"trajectory.presets.{target}").get_config(f"model={model}")
    return Benchmark().config(f"model={model}", target)
