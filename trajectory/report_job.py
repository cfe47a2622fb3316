"""From a log to all pages for a merchant, in one call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ml_collections import ConfigDict

from trajectory.api import config_of, learn, prepare
from trajectory.expected import Language, one_of
from trajectory.run import Run, load_run
from trajectory.schema import Histories, UserError
from trajectory.settings import fill, shown
from trajectory.settings.recipes import for_insights
from trajectory.training.stopping import leave_if_stopped

if TYPE_CHECKING:
    from trajectory.data.ingest.source.data_frames import Log
    from trajectory.expected import Backbone

_LOGGER = logging.getLogger(__name__)
TIED = 0.2  # share of events that share user and time with another, from which on these are baskets


def report(
    log: Log | ConfigDict,
    workdir: Path | str = "runs/report",
    *,
    model: Backbone = "gru",
    tiny: bool = False,
    settings: Mapping[str, Any] | None = None,
    language: Language = "",
) -> list[Path]:
    """Learns from a log and writes all pages: what to act on, results and forecasts, who moved where, and why.

    Where the log has sales beside other events, purchases are predicted from all of them; events of one user at one
    time are a basket where many are. Both are said, and stay as they are where they were set by hand.

    Args:
      log: as of `prepare`, or a config.
      workdir: the run's folder. The same call goes on where it was stopped, and writes the pages anew.
      model, tiny, settings: as of `prepare`.
      language: that the pages open in, "en" or "zh"; by default that of the reader's browser.

    Returns the pages that were written. One that the log cannot have is left out, with the reason.

    Raises UserError for what cannot be read or trained on, and KeyboardInterrupt or SystemExit where training was
    stopped: the same call goes on.

    Example:
      >>> pages = tj.report(log.config, "runs/shop_pages")
      >>> "insights.html" in [page.name for page in pages]
      True
    """
    from trajectory.data.store import builder

    one_of("language", language, Language)
    config = log if isinstance(log, ConfigDict) else config_of(prepare(log, model=model, tiny=tiny, settings=settings))
    config = decided(config, builder.prepare(config.data))
    leave_if_stopped(learn(config, Path(workdir)), Path(workdir))
    return _pages(load_run(workdir), language)


def decided(config: ConfigDict, histories: Histories) -> ConfigDict:
    """The config with what pages for a merchant need, as the log has it; says what it sets. Returns the same config."""
    selling = [name for name in histories.event_types if {"sale", "target"} <= {*histories.roles[name]}]
    others = [name for name in histories.event_types if "sale" not in histories.roles[name]]
    wanted: dict[str, tuple[Any, str]] = {}
    if selling and others:
        wanted["data.target_types"] = tuple(selling), f"beside sales the log has {', '.join(others)}"
    if histories.has_time and (share := tied(histories)) > TIED:
        wanted["data.baskets"] = True, f"{share:.0%} of events share their time with another of the same user"
    for_insights(config)
    if not histories.has_time:
        wanted |= {"split.kind": ("leave_last", "the log has no times"), "heads.time": (0.0, "the log has no times")}
    for name, (value, why) in wanted.items():
        fill(config, {name: value})
        _LOGGER.info(f"{shown(config, name)}  ({'set by hand' if name in config.by_hand else why})")
    return config


def tied(histories: Histories) -> float:
    """Share of events that have the time of the one before or after them of the same user."""
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    same = (histories.time[1:] == histories.time[:-1]) & (user[1:] == user[:-1])
    return float(np.mean(np.append(same, False) | np.insert(same, 0, False))) if histories.num_events else 0.0


def _pages(run: Run, language: Language) -> list[Path]:
    from trajectory.evaluation.report import write_evaluation
    from trajectory.explain.report import write_attributions
    from trajectory.forecasting.page import write_forecast
    from trajectory.progress import working

    def results() -> Path:
        write_evaluation(run)
        return write_forecast(run, language=language)

    steps: dict[str, Callable[[], Path]] = {
        "report.html": results,
        "insights.html": lambda: run.write_insights(language=language),
        "migration.html": lambda: run.migrations().write_page(run.workdir, language=language),
        "attributions.html": lambda: write_attributions(run, language=language),
    }
    pages = []
    for name, write in steps.items():
        _LOGGER.info(f"{name} ...")
        try:
            with working(name):
                pages.append(write())
        except UserError as error:
            _LOGGER.warning(f"{name} is left out: {error}")
    if not pages:
        raise UserError(f"no page could be written of {run.workdir}; the reasons are above")
    return pages
