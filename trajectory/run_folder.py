"""What a run's folder holds, read without its log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.featurize import FeatureScale
from trajectory.data.store.vocabulary import Vocabulary
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_table import with_table
from trajectory.schema import UserError
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.experiment import load_config, located, model_spec
from trajectory.training.folder import read_data
from trajectory.training.portable import ItemTable

CHANGED = "Train again in a new folder, or put the old one back"


class Trained(NamedTuple):
    """What every run's folder holds: its config, data.json (of its log), and the best parameters with their step."""

    config: ConfigDict
    data: dict[str, Any]
    step: int
    params: Any


class Portable(NamedTuple):
    """What predicts for new histories; the vectors of the items are in a table."""

    vocabulary: Vocabulary
    feature_scale: FeatureScale
    model: InterestModel
    params: Any


def place(workdir: Path | str) -> Path:
    """Where the folder lies, wherever the program goes after. UserError for what is no path."""
    if not isinstance(workdir, Path | str):
        raise UserError(f"expected the folder of a run, as a path, got {type(workdir).__name__}")
    return Path(workdir).resolve()


def read_trained(workdir: Path) -> Trained:
    """UserError if the folder is no run's, is damaged, or has no checkpoint."""
    config, data = load_config(workdir / "config.json"), read_data(workdir)
    return Trained(located(config, data.get("directory", "")), data, *best_parameters(workdir))


def read_portable(workdir: Path, trained: Trained) -> Portable | None:
    """None of a folder made before runs held all that they need. UserError if its parts are of two logs."""
    config, data, step, params = trained
    vocabulary, items = Vocabulary.load(workdir), ItemTable.load(workdir)
    plain = config.content.by == "ids"
    if vocabulary is None or not (plain or (items is not None and items.step == step)):
        return None
    known = vocabulary.catalogue
    if known.fingerprint != data["fingerprint"]:
        raise UserError(f"vocabulary.json and data.json in {workdir} are of two logs. {CHANGED}")
    spec = model_spec(config, known.num_items, len(known.interests), len(known.event_types))
    model = InterestModel(spec)
    if items is not None and not plain:
        content = replace(spec.content, frozen=items.frozen)
        model, params = with_table(InterestModel(replace(spec, content=content)), params, items.table)
    mean, deviation = (np.array(data[f"feature_{name}"], np.float32) for name in ("mean", "deviation"))
    return Portable(vocabulary, FeatureScale(mean, deviation), model, params)


def best_parameters(workdir: Path) -> tuple[int, Any]:
    """Step and parameters of the best checkpoint on validation, as they were trained."""
    checkpoints = Checkpoints(workdir, read_only=True)
    try:
        return checkpoints.restore_best()
    finally:
        checkpoints.close()
