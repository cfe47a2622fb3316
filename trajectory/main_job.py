"""The main job in one call: train, evaluate, forecast, and what a merchant can act on."""

from __future__ import annotations

import logging
from pathlib import Path

from ml_collections import ConfigDict

from trajectory.api import learn, preset
from trajectory.run import Run, load_run
from trajectory.schema import UserError
from trajectory.settings import fill, put
from trajectory.training.stopping import leave_if_stopped

_LOGGER = logging.getLogger(__name__)


def quickstart(
    config: ConfigDict | str = "complete_journey:model=gru",
    workdir: Path | str = "runs/quickstart",
    *,
    insights: ConfigDict | str = "insights:model=gru",
) -> list[Path]:
    """Trains, evaluates and forecasts, and writes the insights of a second, smaller run beside it.

    Args:
      config: what to learn, a config or a preset by its name.
      workdir: the run's folder; what is there already is used again. The smaller run is in its folder `insights`.
      insights: the config of the smaller run, split by time and trained for one epoch, as its page says.

    Returns the two pages to open, report.html and insights.html.

    Raises UserError for settings or data that cannot be trained on, and KeyboardInterrupt or SystemExit where training
    was stopped, as `train` does: the same call goes on.

    Example:
      >>> pages = tj.quickstart(config, "runs/quickstart", insights=small)
      >>> [page.name for page in pages]
      ['report.html', 'insights.html']
    """
    workdir = Path(workdir)
    leave_if_stopped(learn(preset(config) if isinstance(config, str) else config, workdir), workdir)
    run = load_run(workdir)
    pages = [_report(run, workdir / "report.html")]
    if run.config.note:
        _LOGGER.info(run.config.note)
    return [*pages, _small_insights(preset(insights) if isinstance(insights, str) else insights, workdir / "insights")]


def _report(run: Run, page: Path) -> Path:
    """Evaluates the run and forecasts, unless what is there is of its checkpoint."""
    from trajectory.evaluation.report import write_evaluation
    from trajectory.forecasting.page import write_forecast
    from trajectory.progress import working

    if not _is_evaluated(run):
        _LOGGER.info("evaluating on validation and test, with baselines ...")
        with working("evaluating"):
            write_evaluation(run)
        page.unlink(missing_ok=True)
    if not page.exists():
        _LOGGER.info(f"forecasting {run.config.forecast.users:,} users ...")
        with working("forecasting"):
            write_forecast(run)
    _LOGGER.info(run.evaluation.markdown)
    return page


def _is_evaluated(run: Run) -> bool:
    from trajectory.evaluation.report import TABLED, read_evaluation

    try:
        return read_evaluation(run.workdir, *TABLED)["protocol"].get("checkpoint") == run.checkpoint
    except UserError:  # none yet, or damaged
        return False


def _small_insights(config: ConfigDict, workdir: Path) -> Path:
    """Trains for one epoch and writes the report of it, unless it is there."""
    page = workdir / "insights.html"
    fill(config, {"train.epochs": 1, "evaluation.bootstrap": 200})
    fill(config, {"train.patience_epochs": config.train.epochs})
    quick = f"A quick look: trained for {config.train.epochs} epoch(s), intervals of few resamples."
    put(config, "note", f"{config.note} {quick}".strip())
    leave_if_stopped(learn(config, workdir), workdir)
    if not page.exists():
        _LOGGER.info("what to recommend, which segments, which audiences, how much to stock ...")
        load_run(workdir).write_insights()
    return page
