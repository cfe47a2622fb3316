"""How pages call what they count, by the types of the log's events: purchases are bought, views are looked at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trajectory.data.ingest.columns.zones import FROM_TO
from trajectory.data.pipeline.sessions import only_dates
from trajectory.data.store.sales import has_values, selling_event_types
from trajectory.schema import Histories

LOOKING = {"view", "click"}


class Words(NamedTuple):
    """Of what is counted: sales, where the log has any, else all events that the model reads."""

    unit: str  # of amounts: "sales value", "pieces", "purchases", "views", "events"
    verb: str  # "buy", "look at"
    past: str  # "bought", "looked at"
    doing: str  # "buying", "looking"


def words(histories: Histories, by_value: bool = True) -> Words:
    """The words for what a log's users do; `by_value`: amounts are in money where the log states it."""
    types = selling_event_types(histories)
    if types:
        if by_value and has_values(histories):
            unit = "sales value"
        elif np.isfinite(histories.quantity).any():
            unit = "pieces"
        else:
            unit = plural(types)
        return Words(unit, "buy", "bought", "buying")
    return attention_words(histories)


def attention_words(histories: Histories) -> Words:
    """The words for all events that the model reads, sales or not."""
    if set(histories.event_types) <= set(selling_event_types(histories)):
        return words(histories)
    looking = set(histories.event_types) <= LOOKING
    verbs = ("look at", "looked at", "looking") if looking else ("turn to", "turned to", "turning")
    return Words(plural(histories.event_types), *verbs)


def viewing_types(histories: Histories) -> list[str]:
    """The log's types of event that are views."""
    return [event_type for event_type in histories.event_types if event_type in LOOKING]


def clock(histories: Histories) -> str:
    """By whose clock the days and hours of a page are, in a sentence; "" for a log without times."""
    if not histories.has_time:
        return ""
    if not histories.zone:
        return "Days and hours are as the log states them; it names no time zone."
    return f"Days and hours are by the clock of {histories.zone.rpartition(FROM_TO)[2]}."


def only_dates_note(histories: Histories) -> str:
    """What days are taken for, where times are dates without a clock; "" elsewhere."""
    if not only_dates(histories):
        return ""
    return (
        "The log has dates without a clock: a visit is a day, and what was bought on the day of a view counts as "
        "bought after it."
    )


def steps(histories: Histories, count: int) -> str:
    """So many steps: "event", "3 baskets"."""
    unit = histories.step_unit
    return unit if count == 1 else f"{count} {unit}s"


def plural(types: tuple[str, ...]) -> str:
    """The only type's events, or "events" of several types."""
    return f"{types[0].replace('_', ' ')}s" if len(types) == 1 else "events"
