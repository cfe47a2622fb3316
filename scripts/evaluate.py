"""Evaluates a run's best checkpoint on validation and, once, on test, beside the floors.

python scripts/evaluate.py --workdir=runs/first

Writes evaluation.json and prints the table of results with its protocol.
"""

import json
from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

WORKDIR = cli.flags.DEFINE_string("workdir", None, "folder of the run")
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, evaluates it, writes and prints."""
    parallel.start()
    from trajectory.evaluation.protocol import table
    from trajectory.evaluation.run import evaluate_run
    from trajectory.training.run import open_run

    run = open_run(Path(WORKDIR.value))
    evaluation = evaluate_run(run)
    path = run.workdir / "evaluation.json"
    path.write_text(json.dumps(evaluation, indent=1, ensure_ascii=False) + "\n")
    print(table(evaluation))
    print(f"written to {path}")


if __name__ == "__main__":
    cli.run(main)
