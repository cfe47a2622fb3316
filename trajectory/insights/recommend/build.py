"""The step `recommend`: lists for every user, the items with users to win, and how far such lists held."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.data.store.sales import selling_event_types
from trajectory.evaluation.reach import NOTHING_LEFT
from trajectory.inference.new_users import whole_histories
from trajectory.insights.recommend.baselines import order_of
from trajectory.insights.recommend.evaluate import chosen_share, compare_lists, found_more, trade_off
from trajectory.insights.recommend.evaluation_page import holdout_accuracy, kept_back
from trajectory.insights.recommend.new_buyers import first_purchases, past_windows
from trajectory.insights.recommend.page import (
    BUT,
    blocks,
    event_types_note,
    lately_words,
    order_description,
    window,
)
from trajectory.insights.recommend.reasons import reasons
from trajectory.insights.recommend.relevance import Relevance
from trajectory.insights.recommend.sentences import sentences
from trajectory.insights.recommend.tables import recommend
from trajectory.insights.report_model import Part, Text, folded
from trajectory.reports.words import words
from trajectory.run import Run
from trajectory.schema import UserError

USERS = 12  # whose lists the page shows, with reasons
NONE_ELIGIBLE_LEFT = "has had every item that may be recommended, and evaluation.seen=filter shows none again"


def build_recommendations(run: Run, keep: np.ndarray | None = None) -> Part:
    """Recommendations after the end of each history, of the items `keep` bool [V + 1] (default: all). Raises UserError
    where nothing is left for anybody.
    """
    h = run.experiment.histories
    relevance = Relevance(run)
    curve = trade_off(run, relevance, "validation") if h.interests else []
    share = chosen_share(curve) if curve else 0.0
    held = compare_lists(run, relevance, "test")
    everybody, some = whole_histories(h), whole_histories(h, USERS)
    lately = first_purchases(relevance, past_windows(relevance, run.experiment.split))
    if rival := found_more(held):
        share, curve = 0.0, []
    table, winners = recommend(relevance, everybody, share, lately, keep, order_of(rival, run, relevance))
    if table.is_empty():
        raise UserError(f"each user {NOTHING_LEFT}, or none that may be shown")
    ids = h.users["user"].gather(some.user).cast(pl.String).to_list()
    without = h.users.select(pl.col("user").cast(pl.String)).join(table, on="user", how="anti", maintain_order="left")
    without = without.with_columns(reason=pl.lit(NOTHING_LEFT if keep is None else NONE_ELIGIBLE_LEFT))
    table = reasons(h, table)
    ahead, kept = window(relevance, of_all=True), kept_back(held, h)
    but = BUT if True not in relevance.fits and event_types_note(h) and selling_event_types(h) else ""
    return Part(
        "recommend",
        "Whom to recommend what",
        sentences(table, winners, held, ahead, lately_words(relevance), kept, words(h), but),
        (
            Text(order_description(share, window(relevance), rival) + event_types_note(h)),
            *blocks(run, relevance, keep, table.filter(pl.col("user").is_in(ids)), winners, len(without), but),
            *folded(holdout_accuracy(held, kept, curve, share)),
        ),
        {"recommendations": table, "new_buyers": winners}
        | ({"recommendations_without": without} if len(without) else {}),
        {"lists": held, "trade_off": curve, "share_of_mix": share},
    )
