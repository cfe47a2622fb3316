"""The main job in one command: prepare, train, evaluate and forecast Complete Journey, then say what to open.

python scripts/quickstart.py [--config=configs/complete_journey.py:model=gru] [--workdir=runs/quickstart]

A second start re-uses what is there.
"""

import json
import time
from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

CONFIG = cli.config_flags.DEFINE_config_file("config", "configs/complete_journey.py:model=gru", "what to learn")
WORKDIR = cli.flags.DEFINE_string("workdir", "runs/quickstart", "folder of the run")


def main() -> None:
    """Train, evaluate, forecast; each is skipped where its result is there already."""
    began = time.perf_counter()
    parallel.start(CONFIG.value.train.devices)
    from trajectory.evaluation.protocol import table
    from trajectory.evaluation.run import write_evaluation
    from trajectory.evaluation.validation import Watch
    from trajectory.forecasting.report import write_forecast
    from trajectory.training import loop, task
    from trajectory.training.run import open_run

    workdir = Path(WORKDIR.value)
    built = task.build(CONFIG.value)
    if not loop.train(built, workdir, Watch(built))["finished"]:
        return
    run = open_run(workdir)
    results, page = workdir / "evaluation.json", workdir / "report.html"
    evaluation = json.loads(results.read_text()) if results.exists() else None
    if evaluation is None or evaluation["protocol"]["checkpoint"] != run.checkpoint:
        print("evaluating on validation and test, beside the floors ...", flush=True)
        evaluation = write_evaluation(run)
        page.unlink(missing_ok=True)
    if not page.exists():
        print(f"forecasting {built.config.forecast.users:,} users ...", flush=True)
        write_forecast(run, built.config.forecast.users)
    print(table(evaluation))
    if built.config.note:
        print(built.config.note)
    print(f"\nopen {page.resolve()}   ({time.perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    cli.run(main)
