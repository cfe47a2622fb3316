"""Everything that is reported of a trained run: ranking and conversion metrics beside the floors, with the protocol."""

from __future__ import annotations

from typing import Any

from trajectory.evaluation import conversion
from trajectory.evaluation.baselines import floors
from trajectory.evaluation.protocol import PARTS, evaluate, protocol
from trajectory.evaluation.scorer import ModelScorer
from trajectory.training.run import Run
from trajectory.training.task import write_json


def evaluate_run(run: Run) -> dict[str, Any]:
    """What evaluation.json holds (layout: see protocol.evaluate), test measured once, with the best checkpoint."""
    task, c = run.task, run.task.config
    scorer = ModelScorer(task.model, run.params, task.histories, task.scale, c.batch.length)
    facts = {"checkpoint": run.checkpoint, "backbone": c.model.backbone}
    if c.heads.item:
        rows = floors(task.histories, task.split, c)
        found = evaluate(scorer, rows, task.histories, task.split, c, **facts)
    else:
        none: dict[str, Any] = {part: {} for part in PARTS}
        found = {"metrics": {part: {} for part in PARTS}, "floors": {}, "spread": none | {"floors": {}}, "paired": none}
        found["protocol"] = protocol(task.histories, task.split, c, **facts)
    if c.heads.conversion:
        for part in PARTS:
            for name, value in conversion.evaluate(scorer, task, part).items():
                found["metrics"].setdefault(part, {})[f"conversion_{name}"] = value
            for floor, metrics in conversion.evaluate_floors(task, part).items():
                named = {f"conversion_{name}": value for name, value in metrics.items()}
                found["floors"].setdefault(floor, {})[part] = named
    return found


def write_evaluation(run: Run) -> dict[str, Any]:
    """Evaluates the run and writes evaluation.json into its folder."""
    found = evaluate_run(run)
    write_json(found, run.workdir / "evaluation.json")
    return found
