"""What is counted as demand, in words: of which events, in which weeks, and where an item of several groups counts."""

from __future__ import annotations

import numpy as np

from trajectory import hints
from trajectory.insights.demand.demand_forecast import Demand
from trajectory.insights.demand.weekly_counts import Weeks


def sold(demand: Demand) -> str:
    """What is counted: pieces, where the log states quantities, else its events that are sales."""
    unit = demand.weeks.words.unit
    if unit == "pieces":
        return "pieces sold"
    if not demand.lines:
        return f"{unit} (one piece each, as the log states no quantities)"
    return (
        f'{unit} (each line of a sale as one piece, as data.columns.quantity is "-": where the log states quantities, '
        "more pieces are sold than are forecast and ordered here; "
        f"{hints.setting('data.columns.quantity', 'COLUMN')} and a new training in a new folder count them)"
    )


def places(demand: Demand) -> str:
    """Where items count that are of several categories, and categories of several departments."""
    words = f" {demand.grouped}" if demand.grouped else ""
    if demand.weeks.moved:
        words += (
            " So that sums add up, each category counts whole in the department that most of its "
            f"{demand.weeks.words.unit} are of; {demand.weeks.moved:.1%} of all are of another."
        )
    return words


def returned(weeks: Weeks) -> str:
    """What came back, and off which weeks it is taken; empty where nothing did."""
    trailing = ""
    if weeks.later:
        trailing = (
            f" {weeks.later:,.0f} {weeks.words.unit} that came back after the log's last event of another type are not "
            "taken off: its weeks end there."
        )
    if not weeks.returned:
        return trailing
    count, net = weeks.count[weeks.levels[0]], weeks.net[weeks.levels[0]]
    never = count.sum() - net.sum()  # what is still to be taken off when the log ends
    later = -np.minimum(net, 0).sum() - never
    words = f" Less what came back: {weeks.returned:,.0f} {weeks.words.unit}"
    if later + never < 0.5:
        return f"{words}, taken off the weeks of the returns.{trailing}"
    return (
        f"{words}; {weeks.returned - later - never:,.0f} of them are taken off the weeks of the returns, "
        f"{later:,.0f} off later weeks, as more of an item came back than was sold, and {never:,.0f} off none, as too "
        f"little of the item was sold until the log's end.{trailing}"
    )


def around(weeks: Weeks) -> str:
    """What was sold and came back on days that belong to no week that is counted; empty where nothing was."""
    pieces = zip(weeks.around, ("sold", "that came back"), strict=True)
    counted = " and ".join(f"{amount:,.0f} {weeks.words.unit} {how}" for amount, how in pieces if amount)
    days = f"before {weeks.date(0)} or from {weeks.date(weeks.number)} on"
    return f" Not counted are {counted} {days}: these days are in none of its {weeks.number} weeks." if counted else ""
