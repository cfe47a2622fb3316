"""The step `audiences`: in whom an interest is likely to arrive and when, who answers a campaign, how far that held."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from trajectory.data.store.sales import require_sales
from trajectory.data.times import DAY
from trajectory.insights.audiences.audience import audience, horizon, snapshot_at
from trajectory.insights.audiences.audience_targets import targets_by_kind
from trajectory.insights.audiences.contact_timing import (
    check_contact_timing,
    contact_timing,
    usual_timing,
    with_moments_that_hold,
)
from trajectory.insights.audiences.evaluate import counting_ahead, measure
from trajectory.insights.audiences.evaluation_page import holdout_accuracy
from trajectory.insights.audiences.next_visit import check_next_visit, with_days_that_hold
from trajectory.insights.audiences.page import LIMITS, blocks, whole_audiences
from trajectory.insights.audiences.propensity import LEAST
from trajectory.insights.audiences.sentences import sentences
from trajectory.insights.audiences.tables import counted_table, members_table, totals_table
from trajectory.insights.campaigns.build import build_campaigns
from trajectory.insights.customers.sums import Money
from trajectory.insights.report_model import Part, Text, folded
from trajectory.run import Run
from trajectory.schema import Queries, UserError

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
    audiences = [predicted for targets in goods if (predicted := audience(run, targets, recent, now))]
    if not audiences:
        raise UserError(TOO_FEW)
    first = audiences[0]
    cuts = [run.experiment.split.cut_time(part) for part in ("validation", "test")]
    mine = [targets for targets in targets_by_kind(histories, cuts[1]) if targets.kind == first.goods.kind]
    validation, test = (snapshot_at(run, cut, mine) for cut in cuts)
    then = audience(run, mine[0], validation, test)
    if then is None:
        raise UserError(TOO_FEW)
    asked = histories.users["user"].gather(test.queries.user)
    members = asked.is_in(members_table(then, histories, test)["user"].unique().implode()).to_numpy()
    of_members = Queries(*(column[members] for column in test.queries))
    visits = check_next_visit(histories, of_members, test.expected.next[members], test.time)
    rows = pl.concat([members_table(predicted, histories, now) for predicted in audiences])
    rows = with_days_that_hold(rows, first.days, visits)
    held = measure(then, then.counts.events, c.evaluation.bootstrap // 5, c.seed)
    if "arriving" not in held:
        raise UserError(
            f"nobody newly bought of any {then.goods.kind} within {then.days} days of the cut, so audiences cannot be "
            "measured; choose an earlier split.cut"
        )
    rival = counting_ahead(held)
    counted = {"audiences_by_counting": counted_table(first, histories, rival)} if rival else {}
    moments = check_contact_timing(histories, test.queries, contact_timing(histories, test.queries))
    rows = with_moments_that_hold(rows, moments, usual_timing(histories, now.queries))
    campaigns = build_campaigns(run, test.time)
    money = Money.of(run)
    totals = totals_table(rows, money)
    began, cut = (datetime.fromtimestamp(moment.time, UTC) for moment in (now, test))
    return Part(
        name="audiences",
        title="Audiences",
        sentences=(*sentences(held, first, rows, money, cut), *campaigns.sentences),
        blocks=(
            *blocks(rows, first, began, then, cut, histories.step_unit),
            whole_audiences(totals, first, money),
            Text(LIMITS),
            *folded(holdout_accuracy(held, then, cut, moments, visits, histories.step_unit)),
            *folded(campaigns.blocks),
        ),
        tables={"audiences": rows, "audience_totals": totals} | counted | campaigns.tables,
        measured={then.goods.kind: held, "moments": moments | {"next_visit": visits}} | campaigns.measured,
    )
