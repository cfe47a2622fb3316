"""attributions.parquet and attributions.html: which past events drove which forecasts, and whether to trust that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from trajectory import hints
from trajectory.evaluation.reach import NOTHING_LEFT
from trajectory.evaluation.standing import warning
from trajectory.explain import event_types, overview
from trajectory.explain.event_rankings import METRICS
from trajectory.explain.explain import AttributionBatch, Explainer, attribution_table
from trajectory.explain.faithfulness_summary import OWN, faithfulness
from trajectory.explain.narrative import counterfactuals, display_name, sentences
from trajectory.explain.targets import read_target
from trajectory.inference.new_users import whole_histories
from trajectory.names import isolated
from trajectory.progress import progress
from trajectory.reports import charts, page_charts, pictures
from trajectory.reports.page import script_safe, write_page
from trajectory.reports.words import clock
from trajectory.run import Run
from trajectory.run_card import write_card
from trajectory.schema import UserError
from trajectory.writing import write_parquet

if TYPE_CHECKING:
    import altair as alt

_LOGGER = logging.getLogger(__name__)

MAX_NAMED = 5  # users of whom nothing can be explained, by name


def write_attributions(
    run: Run,
    target: str = "",
    steps: Sequence[int] = (1,),
    users: int | Sequence[str] | None = None,
    method: str = "",
    language: str = "",
) -> Path:
    """Explains the forecasts after the histories of `users` (see `whole_histories`).

    `users` and `method` are as the run's config says, unless given here; `language` is that the page opens in.

    Writes attributions.parquet and attributions.html into the run's folder; returns the page. Raises UserError for a
    user, a target, a step or a method that the run does not have.
    """
    histories = run.experiment.histories
    explainer = Explainer(run, read_target(target, histories, bool(run.config.heads.item)), method=method)
    queries = whole_histories(histories, run.config.explain.users if users is None else users)
    names = histories.users["user"].cast(pl.String)
    without = names.gather(queries.user[~explainer.answerable(histories, queries)]).to_list()
    note = ""
    if without:
        named = ", ".join(without[:MAX_NAMED]) + ", ..." * (len(without) > MAX_NAMED)
        note = f"{len(without):,} of {len(queries.user):,} users have no list to explain ({named}): each {NOTHING_LEFT}"
        if len(without) == len(queries.user):
            raise UserError(f"{note}; {hints.argument('target', 'item=ID')} explains an item of your choice")
        _LOGGER.info(note)
    batches = list(explainer.attributions(histories, queries, steps))
    rows = pl.concat(
        [attribution_table(batch, histories, explainer.target, explainer.method_name) for batch in batches]
    )
    written = run.workdir / "attributions.parquet"
    write_parquet(rows, written)
    page = _write_page(run, explainer, batches, rows, note, language)
    write_card(run.workdir)
    _LOGGER.info(f"attributions by {explainer.method_name.replace('_', ' ')}; written to {written}")
    return page


def _write_page(
    run: Run, explainer: Explainer, batches: Sequence[AttributionBatch], rows: pl.DataFrame, note: str, language: str
) -> Path:
    histories = run.experiment.histories
    events = overview.whole_events(rows, bool(histories.interests))
    of_forecast = events.partition_by("user", "step", as_dict=True)
    forecasts = []
    for batch in progress(batches, "counterfactuals"):
        targets, users = batch.inputs.targets, histories.users["user"].gather(batch.queries.user).cast(pl.String)
        without = counterfactuals(explainer, histories, batch)
        for row, (user, counterfactual) in enumerate(zip(users, without, strict=True)):
            target = display_name(explainer.target, histories, int(targets.index[row]), int(targets.source[row]))
            own = of_forecast[user, batch.step]
            forecasts.append(
                {
                    "user": user,
                    "step": batch.step,
                    "target": target,
                    "log_p_reference": float(batch.attribution.reference_forecast[row]),
                    "log_p": float(batch.attribution.forecast[row]),
                    "by_type": event_types.sentence(own, histories),
                    "sentences": sentences(own, target, histories),
                    "counterfactual": counterfactual,
                    "events": _event_data(own, histories.has_time),
                }
            )
    named = pl.DataFrame({name: [forecast[name] for forecast in forecasts] for name in ("user", "step", "target")})
    events = events.drop("target").join(named, on=["user", "step"], maintain_order="left")
    data = {
        "forecasts": forecasts,
        "drivers": overview.drivers(events),
        "probability": explainer.target.kind != "migration",
    }
    return write_page(
        run.workdir / "attributions.html",
        "explain",
        name=run.config.name,
        language=language,
        warning=warning(run, "the forecasts that are explained here"),
        clock=clock(histories),
        method=explainer.method_name.replace("_", " "),
        reference=run.config.explain.reference,
        without=note,
        length=run.config.batch.length,
        interests_are=run.interests_are if explainer.target.kind in ("interest", "migration") else "",
        calibrated=run.calibration is not None,
        unit="log-odds" if explainer.target.kind == "migration" else "log-probability",
        faithfulness=faithfulness(explainer, histories, batches),
        metrics=METRICS,
        own=OWN,
        event_types=overview.event_types(events),
        several_types=len(histories.event_types) > 1 and histories.has_time,
        features=overview.features(rows),
        ages=pictures.svg(_ages_chart(events)),
        chart=script_safe(pictures.specification(page_charts.timeline())),
        data=script_safe(isolated(data)),
    )


def _ages_chart(events: pl.DataFrame) -> alt.Chart:
    """Mean nats of an event by its age, a line for each event type."""
    ages = overview.ages(events)
    rows = [
        (label, nats, name)
        for name, line in ages["lines"].items()
        for label, nats in zip(ages["labels"], line, strict=True)
    ]
    schema = {"events ago": pl.String, "nats": pl.Float64, "event type": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return charts.lines(frame, "events ago:O", "nats", "event type", "", unit="nats an event")


def _event_data(events: pl.DataFrame, has_time: bool) -> list[list[Any]]:
    """What the page draws of each event: value, title, name, event type, day."""
    days = [f"{time:%Y-%m-%d}" if has_time else "" for time in events["time"]]
    columns = (events["value"].round(4), events["title"], events["name"], events["event_type"], days)
    return [list(row) for row in zip(*columns, strict=True)]
