"""What sets a segment apart, in words: how much it buys, of what more than others, and where it comes from."""

from __future__ import annotations

import numpy as np

from trajectory.insights.segments.states import Trajectories
from trajectory.metrics.significance import bootstrap
from trajectory.migrations.step_windows import shares

NAMED = 2  # interests in a name
APART = 4  # interests in a profile
RARE = 0.01  # share of a group's volume below which an interest says little of it
LIFT = 1.1  # share of a group over everybody's from which on an interest sets it apart
GROWTH = 1.2  # expected over past volume from which on new members spend more, or 1 / GROWTH less
VISIBLE = 0.02  # gain of a group's share from which on it is said to turn to an interest
LEVEL = 0.1  # share of the group that the interest then has, at least
HALF = 0.5  # of a group: more than so many have had the interest, and gain of it
RESAMPLES = 500  # of a group's users
TURNING = "turning to "
FAR = 2.0  # largest over smallest mean volume of groups from which on names tell how much is bought


def names(
    trajectories: Trajectories, label: np.ndarray, destination: np.ndarray, new_members: np.ndarray, divided: np.ndarray
) -> tuple[str, ...]:
    """A name for each of S segments, no two equal: `label` [n], `destination` and `new_members` [S], `divided` [G]."""
    t, interests = trajectories, trajectories.histories.interests
    volume = np.array(
        [t.value_ahead[np.isin(label, np.flatnonzero(destination == place))].mean() for place in destination]
    )
    gain = shares(t.ahead.sum(0)) - shares(t.past.sum(0))  # of everybody: forecasts know seasons, too
    segment_names: list[str] = []
    for number, place in enumerate(destination):
        inside = label == number
        name = " and ".join(_apart(t.ahead[inside].sum(0), t.ahead.sum(0), interests)[:NAMED]) or "A bit of everything"
        if volume.max() > FAR * volume.min():
            name += f", {_amount(t.value_ahead[inside].mean())} a week"
        if new_members[number]:
            growth = t.value_ahead[inside].sum() / max(t.value[inside].sum(), 1e-12)
            cause = _cause(t.past[inside], t.ahead[inside], growth, gain, interests)
            more = {"more": f"{t.words.doing} more", "less": f"{t.words.doing} less"}
            name += ", moved here" + (
                f": {more.get(cause, f'{TURNING}{cause}')}" if cause and cause not in name else ""
            )
        elif divided[place]:
            name += ", long-standing"
        twin = sum(other == name or other.startswith(f"{name} (") for other in segment_names)
        segment_names.append(f"{name} ({twin + 1})" if twin else name)
    return tuple(segment_names)


def distinguishing_interests(volume: np.ndarray, everybody: np.ndarray, interests: tuple[str, ...]) -> str:
    """What a segment's volume [K] has more of than everybody's, with how many times more."""
    lift = shares(volume) / np.maximum(shares(everybody), 1e-12)
    chosen = [interests.index(name) for name in _apart(volume, everybody, interests)[:APART]]
    return ", ".join(f"{interests[at]} x{lift[at]:.1f}" for at in chosen)


def _apart(volume: np.ndarray, everybody: np.ndarray, interests: tuple[str, ...]) -> list[str]:
    """Interests by lift, the largest first, of those that matter to the group."""
    share = shares(volume)
    lift = share / np.maximum(shares(everybody), 1e-12)
    lift = np.where((share >= max(RARE, 0.2 / len(interests))) & (lift >= LIFT), lift, 0)
    order = [at for at in np.argsort(-lift, kind="stable") if lift[at] > 0]
    return [interests[at] for at in order]


def _cause(past: np.ndarray, ahead: np.ndarray, growth: float, gain: np.ndarray, interests: tuple[str, ...]) -> str:
    """One of "more", "less", the interest that new members turn to, or "" where it is none that most of them know."""
    if growth >= GROWTH or growth <= 1 / GROWTH:
        return "more" if growth > 1 else "less"
    # A group turns to what most of it have had and gain of, what then matters to it, and beyond what all do and chance.
    began, level = (past > 0).mean(0) > HALF, shares(ahead.sum(0)) >= LEVEL
    change = shares(ahead) - shares(past) - gain
    own = shares(ahead.sum(0)) - shares(past.sum(0))
    most = ((shares(ahead) > shares(past)).mean(0) > HALF) & (own >= VISIBLE) & (own - gain >= VISIBLE)
    some = np.flatnonzero(began & level & most)
    if not len(some):
        return ""
    certain = some[np.atleast_1d(bootstrap(change[:, some], RESAMPLES, seed=0).low) > 0]
    return interests[certain[np.argmax((own - gain)[certain])]] if len(certain) else ""


def _amount(volume: float) -> str:
    return f"{volume:,.0f}" if volume >= 10 else f"{volume:.1f}"
