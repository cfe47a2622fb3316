"""Files of the release before are read under the names of this one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.data.pipeline.event_statistics import event_statistics
from trajectory.data.store.builder import FORMAT_VERSION, fingerprint, source_digest
from trajectory.data.store.vocabulary import Vocabulary
from trajectory.evaluation.protocol import table
from trajectory.evaluation.report import TABLED, read_evaluation
from trajectory.renamed import FIELDS, FLAGS, flag
from trajectory.schema import Events
from trajectory.settings import base, get, set_by_hand
from trajectory.settings.flags import read
from trajectory.training.experiment import load_config
from trajectory.training.portable import Background
from trajectory.writing import write_json

LOG = make_histories([[1, 2, 3, 2], [4, 1]], event_types=[[1, 1, 1, 2], [1, 1]])
COUNTS = {"validation": 3, "test": 3}
SPREAD = {"ndcg@10": {"low": 0.1, "high": 0.3, "standard_error": 0.05}}
OLD_EVALUATION = {
    "metrics": {"validation": {"ndcg@10": 0.2}, "test": {"ndcg@10": 0.2, "loss": 3.5, "coverage@10": 0.4}},
    "floors": {"markov": {"validation": {"ndcg@10": 0.1}, "test": {"ndcg@10": 0.1}}},
    "spread": {"validation": SPREAD, "test": SPREAD, "floors": {"markov": {"validation": SPREAD, "test": SPREAD}}},
    "paired": {"test": {"ndcg@10": {"floor": "markov", "difference": 0.1, "low": 0.0, "high": 0.2, "p_value": 0.04}}},
    "protocol": {
        **{"data": "made_up", "fingerprint": "0" * 64, "split": "leave_one_out", "guarantee": "the last step"},
        **{"users": COUNTS, "targets": COUNTS, "cold_targets": COUNTS, "cutoffs": [10], "seed": 0, "candidates": 30},
        **{"spread": "bootstrap", "candidate_rule": "all", "cold_rule": "a miss", "ties": "expected rank"},
    },
}


def test_an_evaluation_that_calls_baselines_floors(tmp_path: Path) -> None:
    write_json(OLD_EVALUATION, tmp_path / "evaluation.json")
    read = read_evaluation(tmp_path, *TABLED)
    assert read["baselines"] == OLD_EVALUATION["floors"]
    assert read["metrics"]["test"] == {"ndcg@10": 0.2, "log_loss": 3.5, "catalogue_coverage@10": 0.4}
    assert read["confidence_intervals"]["baselines"] == OLD_EVALUATION["spread"]["floors"]
    assert "ndcg@10: model - markov = +0.1000" in table(read)


OLD_FIELDS = {
    **{"recipe": "auto", "batch.most": 7, "content.beside": 5.0, "content.kept": 8, "distil.likeliest": 9},
    **{"model.heads": 4, "split.left_out": 3, "train.power": 0.3, "train.products": "bfloat16"},
    **{"explain.baseline": "masked", "explain.gap": 0.02, "explain.watched": 3},
    **{"conversion.kind": "cart", "data.kind_map": {"4": "purchase"}, "data.columns.kind": "action"},
}


def test_a_config_with_the_old_names_of_fields(tmp_path: Path) -> None:
    saved = base("gru").to_dict() | {"by_hand": ["batch.rows", "data.columns.kind", "train.power"]}
    saved["data"]["by_hand"] = ["columns.kind"]
    saved["model"]["inputs"] = ["item", "kind"]
    for name, value in OLD_FIELDS.items():
        _, _, field = name.rpartition(".")
        fields = _section(saved, name)
        del fields[FIELDS[name].rpartition(".")[2]]
        fields[field] = value
    write_json(saved, tmp_path / "config.json")
    config = load_config(tmp_path / "config.json")
    assert {name: _plain(get(config, FIELDS[name])) for name in OLD_FIELDS} == OLD_FIELDS
    assert config.by_hand == ("batch.rows", "data.columns.event_type", "train.pseudospherical_order")
    assert config.data.by_hand == ("columns.event_type",)
    assert config.model.inputs == ("item", "event_type")
    assert set(_names(config)) == set(_names(base())), "no old name is left"


OLD_SETTINGS = {"train.power": 0.3, "data.kind_map": {"4": "purchase"}, "model.inputs": ("kind", "gap")}


@pytest.mark.parametrize(("command", "old"), FLAGS)
def test_flags_with_the_old_names(caplog: pytest.LogCaptureFixture, command: str, old: str) -> None:
    new = FLAGS[command, old]
    assert flag(f"--{old}=0.1", command) == f"--{new}=0.1"
    assert f"--{old} is called --{new} now" in caplog.text
    assert flag(old, command) == old
    assert flag(f"--{old}=0.1", "forecast") == f"--{old}=0.1", "only of that command"


def test_old_names_set_by_hand_are_read_and_said(caplog: pytest.LogCaptureFixture) -> None:
    flags = [f"--config.{name}={value}" for name, value in OLD_SETTINGS.items()]
    for made in (lambda: set_by_hand(base(), OLD_SETTINGS), lambda: read(["--config=own_log:path=log.csv", *flags])):
        config = made()
        assert config.train.pseudospherical_order == 0.3
        assert config.data.event_type_map.to_dict() == {"4": "purchase"}
        assert config.model.inputs == ("event_type", "gap")
        assert set(config.by_hand) == {"data.event_type_map", "model.inputs", "train.pseudospherical_order"}
        assert "data.kind_map={'4': 'purchase'} is called data.event_type_map=" in caplog.text
        caplog.clear()


def test_a_vocabulary_and_a_background_with_the_old_names(tmp_path: Path) -> None:
    config = base()
    config.data.columns.event_type, config.data.event_type_map = "action", ConfigDict({"4": "purchase"})
    known = Vocabulary(LOG, event_statistics(LOG), config.data)
    known.save(tmp_path)
    facts = json.loads((tmp_path / "vocabulary.json").read_text())
    facts["kinds"] = facts.pop("event_types")
    facts["statistics"]["kind"] = facts["statistics"].pop("event_type")
    facts["settings"]["kind_map"] = facts["settings"].pop("event_type_map")
    facts["settings"]["columns"]["kind"] = facts["settings"]["columns"].pop("event_type")
    write_json(facts, tmp_path / "vocabulary.json")
    read_again = Vocabulary.load(tmp_path)
    assert read_again is not None
    assert (read_again.catalogue.event_types, read_again.statistics) == (LOG.event_types, known.statistics)
    assert read_again.settings == config.data

    events = Events(*(np.full((1, 2), number) for number in range(len(Events._fields))))
    arrays = events._asdict()
    arrays["kind"] = arrays.pop("event_type")
    np.savez(tmp_path / "background.npz", newest=np.ones(1, np.int32), **arrays)
    background = Background.load(tmp_path)
    assert background is not None
    np.testing.assert_array_equal(background.events.event_type, events.event_type)


def test_a_log_keeps_its_fingerprint_under_the_new_names(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,time,kind\na,x,1700000000,view\n")
    data = base().data
    data.source = str(tmp_path / "log.csv")
    data.later = tuple(key for key in data if key not in ("source", "columns", "event_type_map"))
    settings = {"columns": data.columns.to_dict(), "kind_map": {}}
    settings["columns"]["kind"] = settings["columns"].pop("event_type")
    stated = json.dumps([FORMAT_VERSION, settings, source_digest(data)], sort_keys=True)
    assert fingerprint(data) == hashlib.sha256(stated.encode()).hexdigest()


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    for section in name.split(".")[:-1]:
        config = config[section]
    return config


def _plain(value: Any) -> Any:
    return value.to_dict() if isinstance(value, ConfigDict) else value


def _names(config: ConfigDict) -> list[str]:
    return [f"{section}.{name}" for section, part in config.items() if isinstance(part, ConfigDict) for name in part]
