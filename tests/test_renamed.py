"""Files of the release before are read under the names of this one."""

from __future__ import annotations

from pathlib import Path

from ml_collections import ConfigDict

from trajectory.evaluation.protocol import table
from trajectory.evaluation.report import TABLED, read_evaluation
from trajectory.renamed import FIELDS
from trajectory.settings import base, get
from trajectory.training.experiment import load_config
from trajectory.writing import write_json

COUNTS = {"validation": 3, "test": 3}
SPREAD = {"ndcg@10": {"low": 0.1, "high": 0.3, "standard_error": 0.05}}
OLD_EVALUATION = {
    "metrics": {"validation": {"ndcg@10": 0.2}, "test": {"ndcg@10": 0.2}},
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
    assert read["spread"]["baselines"] == OLD_EVALUATION["spread"]["floors"]
    assert "ndcg@10: model - markov = +0.1000" in table(read)


OLD_FIELDS = {
    **{"recipe": "auto", "batch.most": 7, "content.beside": 5.0, "content.kept": 8, "distil.likeliest": 9},
    **{"model.heads": 4, "split.left_out": 3, "train.power": 0.3, "train.products": "bfloat16"},
    **{"explain.baseline": "masked", "explain.gap": 0.02, "explain.watched": 3},
}


def test_a_config_with_the_old_names_of_fields(tmp_path: Path) -> None:
    saved = base("gru").to_dict() | {"by_hand": ["batch.rows", "train.power"]}
    for name, value in OLD_FIELDS.items():
        section, _, field = name.rpartition(".")
        fields = saved[section] if section else saved
        del fields[FIELDS[name].rpartition(".")[2]]
        fields[field] = value
    write_json(saved, tmp_path / "config.json")
    config = load_config(tmp_path / "config.json")
    assert {name: get(config, FIELDS[name]) for name in OLD_FIELDS} == OLD_FIELDS
    assert config.by_hand == ("batch.rows", "train.pseudospherical_order")
    assert set(_names(config)) == set(_names(base())), "no old name is left"


def _names(config: ConfigDict) -> list[str]:
    return [f"{section}.{name}" for section, part in config.items() if isinstance(part, ConfigDict) for name in part]
