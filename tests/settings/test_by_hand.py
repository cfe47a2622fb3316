"""What is set by hand wins over shrinking, recipes and named domains; what a config derives from it follows."""

from __future__ import annotations

import json

import pytest

from trajectory.data.ingest.source.domains import resolve
from trajectory.presets import amazon_beauty, complete_journey, own_log, pretrain
from trajectory.settings import base, get, set_by_hand, shown, shrink
from trajectory.settings.flags import read as read_flags
from trajectory.training import experiment


@pytest.mark.parametrize(
    ("config", "values", "follows"),
    [
        (base("gru"), {"model.width": 32}, {"model.layers": (32, 32)}),
        (base("gru"), {"model.width": 32, "model.layers": (48,)}, {"model.layers": (48,)}),
        (amazon_beauty.get_config("model=gru"), {"model.width": 32}, {"model.layers": (64,)}),
        (amazon_beauty.get_config("model=gru"), {"train.pseudospherical_order": 0.0}, {"model.temperature": 0.07}),
        (amazon_beauty.get_config("model=gru"), {"batch.length": 30}, {"batch.targets": 30}),
        (complete_journey.get_config("model=gru"), {"batch.length": 256}, {"batch.targets": 48}),
        (pretrain.get_config(), {"train.epochs": 9}, {"train.patience_epochs": 9}),
        (base(), {"train.epochs": 9}, {"train.patience_epochs": 5}),
    ],
)
def test_what_is_derived_follows_unless_it_is_set_too(config, values, follows):
    set_by_hand(config, values)
    assert config.by_hand == tuple(sorted(values))
    for name, value in (values | follows).items():
        assert get(config, name) == pytest.approx(value)


def test_tiny_leaves_what_is_set_by_hand_also_to_the_default():
    config = base("transformer")
    set_by_hand(config, {"model.width": 24, "forecast.paths": 200, "train.epochs": 20})
    shrink(config)
    assert (config.model.width, config.model.layers) == (24, (24, 24))
    assert (config.forecast.paths, config.train.epochs, config.forecast.steps) == (200, 20, 2)


def test_a_named_domain_leaves_what_is_set_by_hand_also_to_the_default():
    config = base()
    config.data.source = "complete_journey"
    found = resolve(config.data)
    assert (found.baskets, found.columns.value, found.cleaning.min_date) == (True, "sales_value", "2017-01-01")
    values = {"data.baskets": False, "data.columns.value": "", "data.cleaning.min_date": "1990-01-01"}
    set_by_hand(config, values)
    found = resolve(config.data)
    assert (found.baskets, found.columns.value, found.cleaning.min_date) == (False, "", "1990-01-01")
    assert (found.columns.user, found.cleaning.max_date) == ("household_id", "2018-01-01")
    assert resolve(found) == found


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
def test_flags_are_hands_and_a_run_s_folder_keeps_their_names(tmp_path):
    flags = ["--config.evaluation.seen=filter", "--config.data.order=time", "--config.logging.wandb=False"]
    config = read_flags(["--config=configs/own_log.py:path=log.csv,model=gru", *flags, "--config.model.width=32"])
    assert config.by_hand == ("data.order", "evaluation.seen", "model.width")
    assert config.data.by_hand == ("order",)
    assert config.model.layers == (32, 32)
    experiment.save_config(config, tmp_path / "config.json")
    assert experiment.load_config(tmp_path / "config.json").by_hand == config.by_hand
    before = json.loads((tmp_path / "config.json").read_text())
    del before["by_hand"], before["data"]["by_hand"]
    (tmp_path / "config.json").write_text(json.dumps(before))
    assert experiment.load_config(tmp_path / "config.json").by_hand == (), "of a run made before"


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
def test_what_is_shown_is_one_line_that_flags_read_again():
    words = {"list_view": "click", "transaction": "purchase"}
    config = base("gru")
    set_by_hand(config, {"data.event_type_map": words, "train.epochs": 3})
    lines = [shown(config, name) for name in config.by_hand]
    assert lines == [f"data.event_type_map = {words}", "train.epochs = 3"]
    flags = [f"--config.{line.replace(' = ', '=', 1)}" for line in lines]
    again = read_flags(["--config=configs/own_log.py:path=log.csv,model=gru", *flags])
    assert again.data.event_type_map.to_dict() == words
    assert again.by_hand == config.by_hand


def test_tiny_of_anyone_s_log_has_no_recipe():
    assert own_log.get_config("path=log.csv,tiny").auto_config == "fixed"


def test_tiny_learns_single_events_as_the_automatic_settings_do():
    config = own_log.get_config("path=log.csv,tiny,model=gru")
    assert (config.optim.learning_rate, config.optim.schedule) == (3e-3, "cosine")
    assert config.model.layers == (16,)


def test_a_number_is_shown_as_it_is_written():
    config = base()
    config.model.dropout, config.optim.learning_rate = 0.8 * 0.2, 3e-5
    assert [shown(config, name) for name in ("model.dropout", "optim.learning_rate", "train.epochs")] == [
        "model.dropout = 0.16",
        "optim.learning_rate = 3e-05",
        f"train.epochs = {config.train.epochs}",
    ]


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
@pytest.mark.parametrize(("yes", "no"), [("yes", "no"), ("true", "false"), ("1", "0")])
def test_yes_and_no_are_read_in_presets_and_fields(yes, no):
    preset = f"--config=configs/own_log.py:path=log.csv,model=gru,baskets={yes}"
    assert read_flags([preset]).data.baskets
    assert not read_flags([preset, f"--config.data.baskets={no}"]).data.baskets


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
@pytest.mark.parametrize("sign", ["=", " "])
@pytest.mark.parametrize("written", ["guest,(not set)", "('guest', '(not set)')"])
def test_words_are_read_behind_a_space_as_behind_a_sign(sign, written):
    preset, flag = "--config=configs/own_log.py:path=log.csv,model=gru", "--config.data.missing"
    given = [flag, written] if sign == " " else [f"{flag}={written}"]
    assert read_flags([preset, *given]).data.missing == ("guest", "(not set)")
