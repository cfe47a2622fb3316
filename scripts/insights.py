"""Says what a merchant can act on: python scripts/insights.py --workdir=runs/insights [--steps=recommend,demand]

Writes a table or more of each step, insights.json (how far each held on what was held out) and insights.html.
"""

from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

WORKDIR = cli.flags.DEFINE_string("workdir", None, "folder of the run")
STEPS = cli.flags.DEFINE_list("steps", ["recommend", "segments", "audiences", "demand"], "which parts, in order")
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, takes each step, writes."""
    parallel.start()
    from trajectory.insights.steps import take

    from trajectory.insights.report import write_insights
    from trajectory.training.run import open_run

    run = open_run(Path(WORKDIR.value))
    page = write_insights(take(run, STEPS.value), run.workdir, run.task.config.name, run.task.config.note)
    print(f"open {page.resolve()}")


if __name__ == "__main__":
    cli.run(main)
