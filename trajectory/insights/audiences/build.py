"""Audiences: in whom an interest is likely to arrive and when, who answers a campaign, and how far that held."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl

from trajectory.data.store.sales import require_sales
from trajectory.data.times import DAY
from trajectory.insights.audiences import page
from trajectory.insights.audiences.audience_targets import targets_by_kind
from trajectory.insights.audiences.contact_timing import check_contact_timing, contact_timing
from trajectory.insights.audiences.evaluate import OURS, Audience, audience, horizon, measure, snapshot_at
from trajectory.insights.audiences.members import members
from trajectory.insights.audiences.propensity import LEAST
from trajectory.insights.campaigns import budget
from trajectory.insights.campaigns.build import campaign_part
from trajectory.insights.report_model import Part, Picture, Table, Text
from trajectory.run import Run
from trajectory.schema import UserError

SHOWN = 10  # users of each audience on the page
LIMITS = (
    "An audience is ranked by the chance that its users buy, not by what an advertisement would change: those who are "
    "most likely to buy may do so anyway. Hold back a random tenth of each audience to learn what the message adds."
)
TOO_FEW = (
    f"audiences need interests or items that at least {LEAST} users newly buy of in the validation window and in the "
    "last weeks: more users, or a longer window where it is shorter than four weeks (a smaller split.quantile)"
)


def build_audiences(run: Run) -> Part:
    """Audiences for interests and items from the end of the log on, and for the log's campaigns where it has any.

    Measured is the same from the run's cut on. Raises UserError where the log has no sales, the split is not by time,
    the run forecasts no times, or too few users newly buy of anything.
    """
    histories, c = run.experiment.histories, run.config
    require_sales(histories, "audiences need sales")
    goods = targets_by_kind(histories)
    recent, now = (snapshot_at(run, moment, goods) for moment in (histories.now - horizon(run) * DAY, histories.now))
    audiences = [some for one in goods if (some := audience(run, one, recent, now))]
    if not audiences:
        raise UserError(TOO_FEW)
    first = audiences[0]
    cuts = [run.experiment.split.cut_time(part) for part in ("validation", "test")]
    mine = [one for one in targets_by_kind(histories, cuts[1]) if one.kind == first.goods.kind]
    validation, test = (snapshot_at(run, cut, mine) for cut in cuts)
    then = audience(run, mine[0], validation, test)
    if then is None:
        raise UserError(TOO_FEW)
    rows = pl.concat([members(one, histories, now) for one in audiences])
    held = measure(then, then.counts.events, c.evaluation.bootstrap // 5, c.seed)
    if "arriving" not in held:
        raise UserError(
            f"nobody newly bought of any {then.goods.kind} within {then.days} days of the cut, so audiences cannot be "
            "measured; choose an earlier split.cut"
        )
    moments = check_contact_timing(histories, test.queries, contact_timing(histories, test.queries))
    campaigns = campaign_part(run, test.time)
    began, cut = (datetime.fromtimestamp(moment.time, UTC) for moment in (now, test))
    blocks: list[Text | Table | Picture] = [
        page.members_table(rows.filter(pl.col("kind") == first.goods.kind), first, began, SHOWN),
        _budget(then, cut),
        page.holdout_accuracy(held, then, cut),
        page.contact_timing_accuracy(moments),
    ]
    return Part(
        name="audiences",
        title="Audiences",
        sentences=(*page.summary_sentences(held, first, rows, cut), *campaigns.sentences),
        blocks=(*blocks, *campaigns.blocks, Text(LIMITS)),
        tables={"audiences": rows} | campaigns.tables,
        measured={then.goods.kind: held, "moments": moments} | campaigns.measured,
    )


def _budget(found: Audience, cut: datetime) -> Picture:
    """The budget curve of the group that most users newly bought of from the cut on."""
    asked, came = found.lapsed, found.bought
    j = int((asked & came).sum(0).argmax())
    rows = np.flatnonzero(asked[:, j])
    scores = {
        OURS: found.probability[rows, j],
        "own frequency in it": found.counts.ever[rows, found.model.chosen[j]] + 1e-3 * found.counts.steps[rows, 1],
    }
    curve = budget.curve(found.probability[rows, j], came[rows, j], scores)
    name = found.goods.names[found.model.chosen[j]]
    title = f"What an audience of each size brought from {cut:%d %B %Y} on: {name}"
    return budget.draw(curve, title, f"buyers within {found.days} days")
