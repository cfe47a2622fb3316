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
    from trajectory.evaluation.run import evaluate_run
    from trajectory.evaluation.validation import Watch
    from trajectory.forecasting.forecast import forecast
    from trajectory.forecasting.report import write_report
    from trajectory.training import loop, task
    from trajectory.training.run import open_run

    workdir = Path(WORKDIR.value)
    built = task.build(CONFIG.value)
    if not loop.train(built, workdir, Watch(built))["finished"]:
        return
    run = open_run(workdir)
    results = workdir / "evaluation.json"
    if not results.exists():
        print("evaluating on validation and test, beside the floors ...", flush=True)
        results.write_text(json.dumps(evaluate_run(run), indent=1, ensure_ascii=False) + "\n")
    page = workdir / "report.html"
    if not page.exists():
        print(f"forecasting {built.config.forecast.users:,} users ...", flush=True)
        made = forecast(run, built.config.forecast.users)
        made.items.write_parquet(workdir / "forecast.parquet")
        write_report(run, made)
    print(table(json.loads(results.read_text())))
    if built.config.note:
        print(built.config.note)
    print(f"\nopen {page.resolve()}   ({time.perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    cli.run(main)
