"""What a run gives back of lasting changes of interests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from trajectory.expected import Language, a_folder, one_of
from trajectory.results.result import Result
from trajectory.schema import UserError

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, repr=False, eq=False)
class Migrations(Result):
    """Lasting changes of users' interests that are larger than chance and season explain, one a row.

    The share of false ones is held where a session leans on the season and on the session before it (`memory` of
    tested, 0 to 1) and not on more: habits of several sessions that are no lasting change can pass for one.
    `tables`: tested (every user with enough sessions), flows and, where the run forecasts them, what is to come.
    `markdown`: how accurate such forecasts were, where the run held out as many steps.
    """

    page: Callable[..., Path] | None = field(default=None, kw_only=True)

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "source": "interest that is left",
        "destination": "interest that is taken up",
        "start": "by the log's clock, or a step's number in a log without times",
        "low": "of the 90 % interval of start",
        "high": "of the 90 % interval of start",
        "end": "when all of the mass has moved",
        "window": "of the start, from 0",
        "mass": "share of the user's interest that moved",
        "divergence": "Jensen-Shannon, of the states before and after, bits",
        "p_value": "of the permutation test; where fewer than 10 rearrangements are as large, by an exponential tail "
        "fitted to the largest tenth (Knijnenburg 2009), so that it can be below 1 / (1 + permutations)",
        "q_value": "share of false ones among those found at this p_value or below",
        "confidence": "1 - q_value",
    }

    TABLES: ClassVar = {
        "attention": (
            "where the log has views, purchases and times, each interest in each period: period (from 0), start, "
            "interest, views, purchases (events), share_of_views, share_of_purchases"
        ),
        "lag": (
            "likewise, each interest that was bought: purchases (sessions that bought it; without those of the first "
            "days, whose views may lie before the log), buyers, viewed and earlier (share of purchases with a view "
            "since the purchase before, and with one in an earlier session), days from the first of these views to the "
            "purchase (median; low and high: 95 % interval; quarter and three_quarters: quartiles), "
            "days_earlier: median of those with a view in an earlier session)"
        ),
        "tested": (
            "each user with enough sessions: user, sessions, memory (how far a session repeats the last, 0 to 1), "
            "statistic, p_value, q_value"
        ),
        "flows": (
            "each pair of interests: source, destination, users, mass (mean), expected (by chance), lift, low, "
            "high (95 % interval of lift)"
        ),
        "forecast": (
            "the largest expected move of each user, where the run forecasts: user, source, destination, mass, "
            "moved (all of it)"
        ),
    }

    def write_page(self, folder: Path | str, *, language: Language = "") -> Path:
        """Writes migration.html and its tables into `folder`, as `trajectory migrate` does; returns the page.

        It opens in `language`, "en" or "zh", or by default in that of the reader's browser.
        """
        one_of("language", language, Language)
        if self.page is None:
            raise UserError("only what run.migrations() returned has a page; call it again")
        folder = a_folder("folder", folder)
        folder.mkdir(parents=True, exist_ok=True)
        return self.page(folder, language=language)

    def plot(self) -> alt.Chart:
        """How many users moved from which interest to which."""
        from trajectory.reports import charts

        flows = self.frame.group_by("source", "destination").len("users").sort("users", descending=True)
        largest = flows.head(charts.MOST * 3).sort("source", "destination")
        return charts.heat(largest, "destination", "source", "users", "Users that migrated")
