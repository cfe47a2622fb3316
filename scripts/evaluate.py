"""Evaluates a run's best checkpoint on validation and, once, on test, beside the floors.

python scripts/evaluate.py --workdir=runs/first

Writes evaluation.json and prints the table of results with its protocol.
"""

from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

WORKDIR = cli.flags.DEFINE_string("workdir", None, "folder of the run")
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, evaluates it, writes and prints."""
    parallel.start()
    from trajectory.evaluation.protocol import table
    from trajectory.evaluation.run import write_evaluation
    from trajectory.training.run import open_run

    run = open_run(Path(WORKDIR.value))
    print(table(write_evaluation(run)))
    print(f"written to {run.workdir / 'evaluation.json'}")


if __name__ == "__main__":
    cli.run(main)
