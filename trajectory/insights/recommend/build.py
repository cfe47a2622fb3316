"""The step `recommend`: lists for every user, the items with users to win, and how far such lists held."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.data.store.sales import selling_event_types
from trajectory.evaluation.reach import NOTHING_LEFT
from trajectory.inference.new_users import whole_histories
from trajectory.insights.recommend import page
from trajectory.insights.recommend.evaluate import chosen_share, compare_lists, trade_off
from trajectory.insights.recommend.lists import first_purchases, recommend
from trajectory.insights.recommend.reasons import reasons
from trajectory.insights.recommend.relevance import Relevance, limited_to_steps
from trajectory.insights.report_model import Part, Text
from trajectory.reports.words import steps, words
from trajectory.run import Run
from trajectory.schema import Histories, UserError

USERS = 12  # whose lists the page shows, with reasons


def _taken(histories: Histories) -> str:
    """What is taken, where that is not always a sale."""
    if set(histories.event_types) <= set(selling_event_types(histories)):
        return ""
    types = ", ".join(histories.event_types)
    sale = (
        ", ".join(event_type for event_type in histories.event_types if event_type in selling_event_types(histories))
        or "none of them"
    )
    return f" To have or to take an item is any event of it ({types}); a sale is {sale}."


def _limits(run: Run, relevance: Relevance, keep: np.ndarray | None) -> str:
    """What may not be on a list, and steps that the run forecasts but the split does not ask for."""
    found, horizon = [], run.config.heads.horizon
    if relevance.filter_seen:
        found.append("What a user has had is on none of the lists; --config.evaluation.seen=keep lets it come again.")
    if keep is not None and not keep[1:].all():
        found.append(f"Of {len(keep) - 1:,} items the {keep.sum():,} that were named may be on lists.")
    if relevance.steps < horizon:
        found.append(
            f"The run forecasts {steps(relevance.histories, horizon)}, but its split keeps back no more than "
            f"{relevance.steps} of each user, by which chances are fitted and lists are measured: lists are for so "
            "many. A split by time with split.target=all and a smaller split.quantile, or split.kind=leave_last with "
            "more split.steps, keeps back more."
        )
    if relevance.fits and relevance.steps_had < relevance.steps - 0.05:
        found.append(
            "Chances are of the validation window, to which they are fitted. There users had "
            f"{relevance.steps_had:.1f} of the next {steps(relevance.histories, relevance.steps)} on average: more may "
            "come within all of them."
        )
    return " ".join(found)


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
    bought = first_purchases(relevance, limited_to_steps(h, run.experiment.split.validation, relevance.steps))
    table, winners = recommend(relevance, everybody, share, keep, bought)
    if table.is_empty():
        raise UserError(f"each user {NOTHING_LEFT}, or none that may be shown")
    ids = h.users["user"].gather(some.user).cast(pl.String).to_list()
    without = h.users.select(pl.col("user").cast(pl.String)).join(table, on="user", how="anti", maintain_order="left")
    explained = reasons(run, some, table.filter(pl.col("user").is_in(ids)))
    window, asked = page.window(relevance), page.kept_back(held, h)
    but = page.BUT if True not in relevance.fits and _taken(h) and selling_event_types(h) else ""
    return Part(
        "recommend",
        "Whom to recommend what",
        page.sentences(table, winners, held, window, asked, words(h), but),
        (
            Text(page.order_description(share, window) + _taken(h)),
            *([Text(limits)] if (limits := _limits(run, relevance, keep)) else []),
            *page.not_known(relevance, window),
            *([Text(f"{len(without):,} users get no list: they have had all that may be shown.")] * bool(len(without))),
            page.of_users(explained, h, window, run.config.batch.length),
            *([page.acquisition_potential(winners, window, words(h), but)] if len(winners) else []),
            page.how_it_held(held, asked),
            *([page.trade_off(curve, share)] if curve else []),
        ),
        {"recommendations": table, "new_buyers": winners} | ({"without_list": without} if len(without) else {}),
        {"lists": held, "trade_off": curve, "share_of_mix": share},
    )
