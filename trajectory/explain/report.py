"""attributions.parquet and attributions.html: which past events drove which forecasts, and whether to trust that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import polars as pl

from trajectory.explain import overview
from trajectory.explain.explain import Explainer, Reasons, table
from trajectory.explain.narrative import counterfactuals, names_of, sentences
from trajectory.explain.panel import FIGURES, OWN, faithfulness
from trajectory.explain.targets import read_target
from trajectory.forecasting.newcomers import whole_histories
from trajectory.forecasting.page import script_safe
from trajectory.schema import Histories, Queries, UserError
from trajectory.training.run import Run


def write_reasons(run: Run, target: str = "", steps: Sequence[int] = (1,), users: Sequence[str] = ()) -> Path:
    """Explains what is foretold after the histories of `users` (ids; by default as many as the config says, drawn).

    Writes attributions.parquet and attributions.html into the run's folder; returns the page. Raises UserError for a
    user, a target or a step that the run does not have.
    """
    histories = run.task.histories
    explainer = Explainer(run, read_target(target, histories))
    queries = _chosen(histories, users, run.task.config.explain.users, run.task.config.seed)
    reasons = list(explainer.reasons(histories, queries, steps))
    rows = pl.concat([table(some, histories, explainer.target, run.task.config.explain.method) for some in reasons])
    rows.write_parquet(run.workdir / "attributions.parquet")
    path = run.workdir / "attributions.html"
    path.write_text(_page(run, explainer, histories, reasons, rows), encoding="utf-8")
    return path


def _chosen(histories: Histories, users: Sequence[str], count: int, seed: int) -> Queries:
    queries = whole_histories(histories)
    some = np.flatnonzero(queries.stop > queries.start)
    if users:
        place = {name: i for i, name in enumerate(histories.users["user"].cast(pl.String))}
        if missing := [name for name in users if name not in place]:
            raise UserError(f"user {', '.join(missing)}: not among the {histories.num_users:,} of {histories.name}")
        some = np.array([place[name] for name in users])
    elif count:
        some = np.sort(np.random.default_rng(seed).permutation(some)[:count])
    return Queries(*(column[some] for column in queries))


def _page(run: Run, explainer: Explainer, histories: Histories, reasons: Sequence[Reasons], rows: pl.DataFrame) -> str:
    by_interest = bool(histories.interests)
    forecasts, events = [], []
    for some in reasons:
        instead = counterfactuals(explainer, histories, some)
        there, value = np.asarray(some.inputs.there), some.attribution.events
        for row, user in enumerate(histories.users["user"].gather(some.queries.user).cast(pl.String)):
            column = np.flatnonzero(there[row])
            at = some.first[row] + column
            asked = explainer.named(histories, some, row)
            one = pl.DataFrame(
                {
                    "user": [user] * len(at),
                    "step": [some.step] * len(at),
                    "event": at - histories.offsets[some.queries.user[row]],
                    "ago": column[-1] - column + 1,
                    "time": histories.time[at],
                    "name": names_of(histories, histories.item[at], by_interest),
                    "title": names_of(histories, histories.item[at], False),
                    "kind": np.array(["", *histories.kinds], object)[histories.kind[at]].tolist(),
                    "target": [asked] * len(at),
                    "value": value[row, column].astype(float),
                }
            )
            events.append(one)
            forecasts.append(
                {
                    "user": user,
                    "step": some.step,
                    "target": asked,
                    "start": float(some.attribution.start[row]),
                    "value": float(some.attribution.value[row]),
                    "said": sentences(one, histories.has_time),
                    "instead": instead[row],
                    "events": _drawn(one, histories.has_time),
                }
            )
    every = pl.concat(events)
    environment = jinja2.Environment(loader=jinja2.PackageLoader("trajectory.explain", "pages"), autoescape=True)
    e = run.task.config.explain
    return environment.get_template("attributions.html.j2").render(
        name=run.task.config.name,
        method=e.method.replace("_", " "),
        baseline=e.baseline,
        kind=explainer.target.kind,
        unit="log-odds" if explainer.target.kind == "migration" else "log-probability",
        panel=faithfulness(explainer, histories, reasons),
        figures=FIGURES,
        own=OWN,
        kinds=overview.kinds(every),
        features=overview.features(rows),
        data=script_safe(
            {
                "forecasts": forecasts,
                "drivers": overview.drivers(every),
                "ages": overview.ages(every),
                "probability": explainer.target.kind != "migration",
            }
        ),
    )


def _drawn(events: pl.DataFrame, has_time: bool) -> list[list[Any]]:
    """What the page draws of each event: value, title, name, kind, day."""
    days = [f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d}" if has_time else "" for t in events["time"]]
    columns = (events["value"].round(4), events["title"], events["name"], events["kind"], days)
    return [list(row) for row in zip(*columns, strict=True)]
