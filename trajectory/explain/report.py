"""attributions.parquet and attributions.html: which past events drove which forecasts, and whether to trust that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.evaluation.reach import NOTHING_LEFT
from trajectory.explain import overview
from trajectory.explain.event_rankings import FIGURES
from trajectory.explain.explain import Explainer, Reasons, table
from trajectory.explain.faithfulness_summary import OWN, faithfulness
from trajectory.explain.narrative import counterfactuals, sentences, shown_name
from trajectory.explain.targets import read_target
from trajectory.inference.new_users import whole_histories
from trajectory.names import isolated
from trajectory.progress import progress
from trajectory.reports.page import script_safe, write_page
from trajectory.run import Run
from trajectory.schema import Histories, Queries, UserError
from trajectory.writing import write_parquet

_LOGGER = logging.getLogger(__name__)

SHOWN = 5  # users of whom nothing can be explained, by name


def write_reasons(run: Run, target: str = "", steps: Sequence[int] = (1,), users: Sequence[str] = ()) -> Path:
    """Explains what is foretold after the histories of `users` (ids; by default as many as the config says, drawn).

    Writes attributions.parquet and attributions.html into the run's folder; returns the page. Raises UserError for a
    user, a target or a step that the run does not have.
    """
    histories = run.task.histories
    explainer = Explainer(run, read_target(target, histories, bool(run.config.heads.item)))
    queries = _of_users(histories, users) if users else whole_histories(histories, run.config.explain.users)
    names = histories.users["user"].cast(pl.String)
    without = names.gather(queries.user[~explainer.answerable(histories, queries)]).to_list()
    said = ""
    if without:
        shown = ", ".join(without[:SHOWN]) + ", ..." * (len(without) > SHOWN)
        said = f"{len(without):,} of {len(queries.user):,} users have no list to explain ({shown}): each {NOTHING_LEFT}"
        if len(without) == len(queries.user):
            raise UserError(f"{said}; --target=item=ID explains an item of your choice")
        _LOGGER.info(said)
    reasons = list(explainer.reasons(histories, queries, steps))
    rows = pl.concat([table(some, histories, explainer.target, run.config.explain.method) for some in reasons])
    write_parquet(rows, run.workdir / "attributions.parquet")
    return _write_page(run, explainer, histories, reasons, rows, said)


def _of_users(histories: Histories, users: Sequence[str]) -> Queries:
    place = {name: i for i, name in enumerate(histories.users["user"].cast(pl.String))}
    if missing := [name for name in users if name not in place]:
        raise UserError(f"user {', '.join(missing)}: not among the {histories.num_users:,} of {histories.name}")
    some = np.array([place[name] for name in users])
    return Queries(*(column[some] for column in whole_histories(histories)))


def _write_page(
    run: Run, explainer: Explainer, histories: Histories, reasons: Sequence[Reasons], rows: pl.DataFrame, without: str
) -> Path:
    every = overview.whole_events(rows, bool(histories.interests))
    of_forecast = every.partition_by("user", "step", as_dict=True)
    forecasts = []
    for some in progress(reasons, "what if"):
        asked, users = some.inputs.asked, histories.users["user"].gather(some.queries.user).cast(pl.String)
        for row, (user, instead) in enumerate(zip(users, counterfactuals(explainer, histories, some), strict=True)):
            target = shown_name(explainer.target, histories, int(asked.index[row]), int(asked.source[row]))
            events = of_forecast[user, some.step]
            forecasts.append(
                {
                    "user": user,
                    "step": some.step,
                    "target": target,
                    "start": float(some.attribution.start[row]),
                    "value": float(some.attribution.value[row]),
                    "said": sentences(events, target, histories),
                    "instead": instead,
                    "events": _drawn(events, histories.has_time),
                }
            )
    shown = pl.DataFrame({name: [one[name] for one in forecasts] for name in ("user", "step", "target")})
    every = every.drop("target").join(shown, on=["user", "step"], maintain_order="left")
    e = run.config.explain
    drawn = {
        "forecasts": forecasts,
        "drivers": overview.drivers(every),
        "ages": overview.ages(every),
        "probability": explainer.target.kind != "migration",
    }
    return write_page(
        run.workdir / "attributions.html",
        "explain",
        name=run.config.name,
        method=e.method.replace("_", " "),
        baseline=e.baseline,
        kind=explainer.target.kind,
        without=without,
        length=run.config.batch.length,
        calibrated=(run.workdir / "calibration.json").exists(),
        unit="log-odds" if explainer.target.kind == "migration" else "log-probability",
        panel=faithfulness(explainer, histories, reasons),
        figures=FIGURES,
        own=OWN,
        kinds=overview.kinds(every),
        features=overview.features(rows),
        data=script_safe(isolated(drawn)),
    )


def _drawn(events: pl.DataFrame, has_time: bool) -> list[list[Any]]:
    """What the page draws of each event: value, title, name, kind, day."""
    days = [f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d}" if has_time else "" for t in events["time"]]
    columns = (events["value"].round(4), events["title"], events["name"], events["kind"], days)
    return [list(row) for row in zip(*columns, strict=True)]
