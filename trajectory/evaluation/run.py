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
        found = {name: {part: {} for part in PARTS} for name in ("metrics", "spread", "paired")}
        found |= {"floors": {}, "spread": found["spread"] | {"floors": {}}}
        found["protocol"] = protocol(task.histories, task.split, c, **facts)
    if c.heads.conversion:
        for part in PARTS:
            _add(found, part, conversion.evaluate_beside_floors(scorer, task, part))
    return found


def write_evaluation(run: Run) -> dict[str, Any]:
    """Evaluates the run and writes evaluation.json into its folder."""
    found = evaluate_run(run)
    write_json(found, run.workdir / "evaluation.json")
    return found


def _add(found: dict[str, Any], part: str, more: dict[str, Any]) -> None:
    """Adds what is measured of the conversion head on one part, each metric under the head's name."""

    def named(values: dict[str, Any]) -> dict[str, Any]:
        return {f"conversion_{name}": value for name, value in values.items() if name != "floors"}

    found["metrics"][part] |= named(more["metrics"])
    found["spread"][part] |= named(more["spread"])
    found["paired"][part] |= named(more["paired"])
    for floor, values in more["floors"].items():
        found["floors"].setdefault(floor, {})[part] = named(values)
    for floor, values in more["spread"]["floors"].items():
        found["spread"]["floors"].setdefault(floor, {})[part] = named(values)
