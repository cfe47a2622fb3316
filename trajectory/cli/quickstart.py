"""Does the main job in one command: train, evaluate, forecast, insights.

trajectory quickstart [--config=complete_journey:model=gru] [--workdir=runs/quickstart]

Of Complete Journey, unless --config names another. The insights are of a second, smaller run beside it, split by time
(preset `insights`, one epoch, marked as such). A second start re-uses what is there.
"""

import time
from pathlib import Path

from absl import flags

from trajectory.cli import command
from trajectory.schema import UserError
from trajectory.settings import fill
from trajectory.training import parallel

CONFIG = command.define_config("config", "complete_journey:model=gru", "what to learn")
INSIGHTS = command.define_config("insights", "insights:model=gru", "what insights are of")
WORKDIR = flags.DEFINE_string("workdir", "runs/quickstart", "folder of the run")


def main() -> None:
    """Train, evaluate, forecast; each is skipped where its result is there already."""
    began = time.perf_counter()
    parallel.start(CONFIG.value.train.devices)
    from trajectory.api import learn
    from trajectory.evaluation.protocol import table
    from trajectory.evaluation.report import TABLED, read_evaluation, write_evaluation
    from trajectory.forecasting.page import write_forecast
    from trajectory.progress import working
    from trajectory.run import load_run

    workdir = Path(WORKDIR.value)
    if not learn(CONFIG.value, workdir)["finished"]:
        return
    run = load_run(workdir)
    page = workdir / "report.html"
    try:
        evaluation = read_evaluation(workdir, *TABLED)
        stale = evaluation["protocol"].get("checkpoint") != run.checkpoint
    except UserError:  # none yet, or damaged
        stale = True
    if stale:
        print("evaluating on validation and test, with baselines ...", flush=True)
        with working("evaluating"):
            evaluation = write_evaluation(run)
        page.unlink(missing_ok=True)
    if not page.exists():
        print(f"forecasting {run.config.forecast.users:,} users ...", flush=True)
        with working("forecasting"):
            write_forecast(run, run.config.forecast.users)
    print(table(evaluation))
    if run.config.note:
        print(run.config.note)
    insights = write_small_insights(workdir / "insights")
    print(f"\nopen {page.resolve()}\nopen {insights.resolve()}   ({time.perf_counter() - began:.0f} s)")


def write_small_insights(workdir: Path) -> Path:
    """Trains for one epoch and writes the report of it, unless it is there."""
    from trajectory.api import learn
    from trajectory.data.store.sample import with_first_look
    from trajectory.insights.registry import STEPS, build_parts
    from trajectory.insights.report import write_insights
    from trajectory.run import load_run

    page, config = workdir / "insights.html", INSIGHTS.value
    fill(config, {"train.epochs": 1})
    fill(config, {"train.patience_epochs": config.train.epochs})
    config.note = f"{config.note} A quick look: trained for {config.train.epochs} epoch(s).".strip()
    if learn(config, workdir)["finished"] and not page.exists():
        print("what to recommend, which segments, which audiences, how much to stock ...", flush=True)
        run = load_run(workdir)
        write_insights(
            build_parts(run, STEPS), workdir, config.name, with_first_look(config.note, run.experiment.histories)
        )
    return page
