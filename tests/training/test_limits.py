"""Numbers that cannot be are refused before anything is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import make_histories
from trajectory.data.pipeline import splits
from trajectory.schema import UserError
from trajectory.settings import base, set_by_hand
from trajectory.training import limits


@pytest.mark.parametrize("model", ["gru", "transformer", "hybrid"])
def test_the_defaults_are_within_them(model):
    limits.check(base(model))


@pytest.mark.parametrize(
    ("section", "field", "value", "words"),
    [
        ("batch", "rows", 0, "batch.rows=0: expected at least 1"),
        ("model", "width", -5, "model.width=-5: expected at least 1"),
        ("model", "layers", (), r"model.layers=\(\): expected at least one number"),
        ("model", "layers", (8, 0), r"model.layers=\(8, 0\): expected at least 1"),
        ("model", "dropout", 1.0, "model.dropout=1.0: expected at least 0 and less than 1"),
        ("model", "dropout", float("nan"), "model.dropout=nan"),
        ("optim", "learning_rate", float("inf"), "optim.learning_rate=inf"),
        ("evaluation", "cutoffs", (10, -1), "evaluation.cutoffs"),
        ("forecast", "steps", 0, "forecast.steps=0: expected at least 1"),
        ("logging", "every_steps", 0, "logging.every_steps=0"),
        ("train", "pseudospherical_order", 1.0, "train.pseudospherical_order=1.0: expected at least 0 and less than 1"),
        ("train", "smoothing", -0.1, "train.smoothing=-0.1: expected at least 0 and less than 1"),
        ("model", "backbone", "rnn", "model.backbone='rnn' is unknown; expected one of lstm, gru, transformer, hybrid"),
        ("model", "cell", "rnn", "model.cell='rnn' is unknown"),
        ("content", "by", "both", "content.by='both' is unknown"),
        ("content", "counted", "half", "content.counted='half' is unknown; expected one of training, others"),
        ("init", "item_vectors", "svd", "init.item_vectors='svd' is unknown; expected one of random, co_occurrence"),
        ("optim", "schedule", "linear", "optim.schedule='linear' is unknown; expected one of constant, cosine"),
        (
            "train",
            "matmul_precision",
            "float16",
            "train.matmul_precision='float16' is unknown; expected one of float32, bfloat16",
        ),
        ("train", "strategy", "tpu", "train.strategy='tpu' is unknown; expected one of pmap, jit"),
    ],
)
def test_what_cannot_be_is_named(section, field, value, words):
    config = base("gru")
    config[section][field] = value
    with pytest.raises(UserError, match=words):
        limits.check(config)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"train.epochs": 0},
            "train.epochs=0 measures what is known before training, and nothing is: set init.init_from",
        ),
        ({"train.monitor": "ndgc@10"}, "train.monitor='ndgc@10' is not measured; with .* choose one of hr@1, hr@5"),
        ({"train.monitor": "accurracy"}, "train.monitor='accurracy' is not measured; choose one of loss, log_loss"),
        ({"train.monitor": "conversion_auc"}, "train.monitor='conversion_auc' is not measured; choose one of loss"),
        ({"train.patience_epochs": 0}, "train.patience_epochs=0 ends training before its first of train.epochs=20"),
        ({"train.monitor": "ahead_ndcg@11"}, "train.monitor='ahead_ndcg@11' is not measured"),
        ({"evaluation.cutoffs": (1, 3)}, r"train.monitor='ndcg@10' is not measured; with evaluation.cutoffs=\(1, 3\)"),
    ],
)
def test_a_training_that_could_not_be_judged_is_refused(fields, words):
    with pytest.raises(UserError, match=words):
        limits.check(set_by_hand(base("gru"), fields))


def test_a_training_that_can_be_judged_is_not(tmp_path):
    limits.check(set_by_hand(base("gru"), {"train.epochs": 0, "init.init_from": "runs/other"}))
    for monitor in ("loss", "ahead_ndcg@10", "ahead_within_ndcg@5", "recall@10_explore", "interest_accuracy"):
        limits.check(set_by_hand(base("gru"), {"train.monitor": monitor}))
    limits.check(set_by_hand(base("gru"), {"train.monitor": "conversion_auc", "heads.conversion": 1.0}))


SHARDED = {"train.shard_items": True, "train.strategy": "jit"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model.backbone": "transformer", "model.layers": (16, 8)}, "a transformer needs model.layers of one width"),
        ({"model.backbone": "hybrid", "model.layers": (9, 9)}, "a multiple of its 2 heads"),
        ({"train.smoothing": 0.1, "model.repeat": True}, "train.smoothing is for a plain softmax"),
        (
            {"train.pseudospherical_order": 0.1, "model.repeat": True},
            "train.pseudospherical_order is for a plain softmax",
        ),
        (
            {"train.smoothing": 0.1, "train.pseudospherical_order": 0.1},
            "train.negatives=0 and train.pseudospherical_order=0",
        ),
        ({"train.smoothing": 0.1, "train.negatives": 8}, "train.negatives=0 and train.pseudospherical_order=0"),
        ({"train.shard_items": True}, "train.shard_items needs train.strategy=jit"),
        ({**SHARDED, "content.by": "prior+ids"}, "train.shard_items splits a table of ids"),
        ({**SHARDED, "train.negatives": 8}, "train.negatives draws from a whole item table"),
        ({**SHARDED, "train.smoothing": 0.1}, "train.smoothing needs a whole item table"),
        ({"content.by": "prior+ids", "content.counted": "others"}, "set split.train_users below 1"),
        (
            {"init.item_vectors": "co_occurrence+content", "content.frozen": 0},
            "numbers of content.frozen, and that is 0",
        ),
        ({"sources.names": ("a", "b"), "sources.weights": (1.0,)}, "expected one for each of a, b, got 1"),
        ({"distil.share": 1.5}, "distil.share=1.5: expected more than 0 and at most 1"),
    ],
)
def test_what_does_not_go_together_is_named(fields, words):
    config = base("gru")
    config.update_from_flattened_dict(fields)
    with pytest.raises(UserError, match=words):
        limits.check(config)


@pytest.mark.parametrize(
    "fields", [SHARDED, {"train.pseudospherical_order": 0.3, "train.negatives": 8}, {"model.layers": (16, 8)}]
)
def test_what_goes_together_passes(fields):
    config = base("gru")
    config.update_from_flattened_dict(fields)
    limits.check(config)


def test_what_a_log_does_not_have_cannot_be_asked_for():
    config = base("gru")
    config.heads.interest = config.heads.time = 0.5
    config.distil.teachers = "runs/a"
    histories = make_histories([[1, 2, 3]])
    with pytest.raises(UserError, match=r"no data\.interest_column; set it to 0"):
        limits.check_data(config, replace(histories, interests=()))
    with pytest.raises(UserError, match=r"heads\.time needs the times of events"):
        limits.check_data(config, replace(histories, has_time=False))
    with pytest.raises(UserError, match="steps are baskets here"):
        limits.check_data(config, replace(histories, baskets=True))
    limits.check_data(config, histories)


def test_a_training_within_its_warm_up_and_one_that_few_users_test_are_doubted():
    config = base("gru")
    config.split.kind, config.split.steps = "leave_last", 2
    set_by_hand(config, {"train.epochs": 2, "optim.warmup_steps": 100})
    lists = [[1, 2, 3, 1, 2]] + [[1, 2]] * 4  # one of five users has steps to hold out
    _, split = splits.split(make_histories(lists), config.split)
    slow, few = limits.doubts(config, split, 4)
    assert "is 8 steps, all within the warm-up of 100" in slow
    assert "--config.optim.warmup_steps=0" in slow
    assert "only 1 of 5 users" in few
    _, split = splits.split(make_histories(lists[:1]), config.split)
    assert not list(limits.doubts(config, split, 51))


def test_what_watches_items_needs_a_head_of_items():
    config = base("gru")
    config.heads.item, config.heads.conversion, config.train.monitor = 0.0, 1.0, "ndcg@10"
    with pytest.raises(UserError, match=r"heads\.item=0: set train\.monitor=conversion_auc"):
        limits.check(config)
    config.train.monitor = "conversion_auc"
    limits.check(config)


def test_conversions_are_learned_after_each_step():
    config = base("gru")
    config.heads.conversion, config.batch.after = 1.0, "session"
    with pytest.raises(UserError, match=r"set batch\.after=step"):
        limits.check(config)
