"""The step `funnel`: what becomes of views, by item and interest, and how far such rates held."""

from __future__ import annotations

from datetime import UTC, datetime

from trajectory.insights.funnel.evaluate import measure
from trajectory.insights.funnel.page import NOT_MEASURED, blocks, seen_sentence, sentences
from trajectory.insights.funnel.tables import funnel_table
from trajectory.insights.funnel.views import bought, views
from trajectory.insights.report_model import Part, Statement, Text
from trajectory.reports.words import only_dates_note, viewing_types
from trajectory.run import Run


def build_funnel(run: Run) -> Part:
    """Rates of the whole log; measured are those of the sessions before the run's test cut, on the sessions from it on.

    Raises UserError for a log without views, purchases or times.
    """
    histories, c = run.experiment.histories, run.config
    viewed = views(histories, histories.item)
    table = funnel_table(histories, viewed)
    cut = run.experiment.split.cut_time("test")
    interest = histories.item_interest
    held = measure(viewed, interest, cut, c.evaluation.bootstrap, c.seed) if cut is not None else {}
    began = None if cut is None else datetime.fromtimestamp(cut, UTC)
    dates = only_dates_note(histories)
    how, *rest = blocks(table, viewing_types(histories), held, began)
    return Part(
        name="funnel",
        title="Funnel: what becomes of views",
        sentences=(*sentences(table, held, began), *([Statement(dates, "sure")] if dates else [])),
        blocks=(
            how,
            *([Text(dates)] if dates else []),
            Text(seen_sentence(int(viewed.purchase.sum()), bought(histories))),
            *rest,
        ),
        tables={"funnel": table},
        measured=held or {"not_measured": NOT_MEASURED},
    )
