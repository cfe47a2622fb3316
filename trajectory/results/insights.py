"""What a run gives back that a merchant acts on: changes, customers, recommendations, segments, audiences ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from trajectory.results.result import Result, label
from trajectory.schema import UserError

if TYPE_CHECKING:
    import altair as alt


class Recommendations(Result):
    """Lists of items for each user, over the steps to come."""

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "list": "which of a user's lists: the most likely items, or those new to the user",
        "rank": "1 = first",
        "item": "id of the source",
        "title": "null where the item has none",
        "interest": "of the item",
        "probability": "that the item comes within the next steps if these come within a window as long as that of "
        "validation, where it was fitted: less than run.forecast says of as many steps, whenever they come; null where "
        "it is not known",
        "again": "the user has had the item",
        "because": "what the user had of it or, of a new item, what those who bought the same bought; by counting",
    }

    TABLES: ClassVar = {
        "new_buyers": (
            "items with the most users to win: item, title, expected (new buyers within the steps), lately "
            "(new buyers in the last window as long), users (who have not bought it)"
        ),
        "without": "users for whom nothing is left, where there are any: user, reason",
    }

    def plot(self, user: str | None = None) -> alt.Chart:
        """A user's first list."""
        from trajectory.reports import charts

        name, rows = self._of_user(user)
        rows = rows.filter(pl.col("list") == rows["list"][0]).with_columns(label("title", "item"))
        return charts.bars(rows, "name", "probability", f"For {name}: {rows['list'][0]}", percent=True)


class Changes(Result):
    """What was bought more or less than in the 28 days before, of each interest and item with enough customers."""

    COLUMNS: ClassVar = {
        "level": "interest or item",
        "name": "its name",
        "before": "pieces in the 28 days before the last (events, in a log without sales), less what was given back",
        "after": "the same in the last 28 days",
        "change": "after over before, less 1",
        "low": "lower end of its 95 % interval, over customers",
        "high": "upper end",
        "year_before": "the same days a year before; empty where the log does not reach back",
        "q_value": "false discovery rate at which the change is told from none",
    }
    TABLES: ClassVar = {
        "change_totals": "the same of customers, orders, pieces and sales value of all",
        "change_periods": (
            "each month (week, of a log of less than 120 days) and interest, and all: period (its first day), whole "
            "(the log covers all of it), interest, customers, orders, pieces, value"
        ),
    }

    def plot(self) -> alt.LayerChart:
        """The changes that are more than chance, with their intervals."""
        from trajectory.reports import charts

        certain = self.frame.filter(pl.col("q_value") <= 0.05).sort("change", "name", descending=[True, False])
        shown = pl.concat([certain.head(12), certain[max(12, certain.height - 12) :]])
        return charts.ranges(shown, "name", "change", ("low", "high"), "Changes beyond chance", "change", ".0%")


class Customers(Result):
    """What each customer is expected to bring in the days to come, and what to do, the largest spend first."""

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "orders_so_far": "with a sale",
        "spend_so_far": "sales value, less what was given back; pieces where the log states no values",
        "last_order": "day of the last order",
        "orders_expected": "in the coming days (90, or a quarter of the log)",
        "spend_expected": "in the same",
        "spend_low": "lower end of its 80 % range",
        "spend_high": "upper end",
        "no_order": "chance that no order comes in the same",
        "next_order": "day by which the next order is as likely as not; empty: not within the coming days",
        "next_from": "first day of its 80 % range; empty likewise",
        "next_to": "last day; empty likewise",
        "inactive": "chance of having left, by BG/NBD; empty after one order, or where too few came again",
        "interest_now": "of which the user bought most in the last 90 days",
        "interest_next": "of which the model expects most; empty where it is behind counting",
        "action": "keep, win back, welcome, or empty",
    }

    def plot(self) -> alt.LayerChart:
        """Expected spend of the customers who are expected to bring most, with its range."""
        from trajectory.reports import charts

        title = "Customers who are expected to bring most"
        top = self.frame.head(20)
        return charts.ranges(top, "user", "spend_expected", ("spend_low", "spend_high"), title, "spend to come", ",.0f")


class Segments(Result):
    """The segment of each user; `tables` has their profiles."""

    COLUMNS: ClassVar = {"user": "id of the source", "segment": "name, by what sets it apart"}

    TABLES: ClassVar = {
        "segment_profiles": (
            "each segment: segment, users, share_of_users, share_of_value (of all that was brought so far), "
            "value_a_week so far and expected_a_week of one user (means over its users), drift (mean change of the "
            "mix), new_members (whether it is of users who are new there), sets_apart (interests with the largest "
            "lift), path (largest shares so far -> expected), customers (users with an order so far), spend_expected "
            "(of these together in the days of run.customers()), spend_low and spend_high (80 % range of that sum); "
            "null where not known"
        ),
        "segment_periods": "the table change_periods of each segment's users, with the column segment",
    }

    def plot(self) -> alt.Chart:
        """Users of each segment."""
        from trajectory.reports import charts

        sizes = self.frame.group_by("segment").len("users").sort("users", "segment", descending=[True, False])
        return charts.bars(sizes, "segment", "users", "Users of each segment")


class Audiences(Result):
    """Users likely to buy of an interest or item that they have not bought of lately, best first."""

    COLUMNS: ClassVar = {
        "kind": "interest or item",
        "target": "its name",
        "user": "id of the source",
        "probability": "that the user buys of it within the window",
        "arriving": "that less what the user's own rate so far makes likely",
        "new": "never bought of it before",
        "days": "expected until the user's next step; empty where that did not hold",
        "weekday": "on which the user comes most",
        "hour": "at which the user comes most, by the log's clock",
        "context": "what the user bought lately that goes with it",
    }

    TABLES: ClassVar = {
        "audience_totals": (
            "each audience: kind, target, users, expected_buyers, customers (users with an order so far), "
            "spend_expected (of these together, on whatever, in the days of run.customers()), spend_low and "
            "spend_high (80 % range of that sum); null where not known"
        ),
        "by_counting": (
            "only where a counting rule ranked users better beyond chance: whom to address by it instead, best first: "
            "kind, target, user, rank"
        ),
    }

    def plot(self) -> alt.Chart:
        """Expected buyers of each audience, the largest first."""
        from trajectory.reports import charts

        sums = self.frame.group_by("target").agg(expected_buyers=pl.col("probability").sum(), users=pl.len())
        ordered = sums.sort("expected_buyers", "target", descending=[True, False])
        return charts.bars(ordered, "target", "expected_buyers", "Expected buyers of each audience")


class Demand(Result):
    """The next weeks of each series; `tables` has what to order."""

    COLUMNS: ClassVar = {
        "level": "item, interest or department",
        "id": "of an item in the source; of others their name",
        "name": "of the series: an item's title, or the name of an interest or department",
        "week": "its Monday",
        "weeks_ahead": "1 = the week of the log's last sale where that is not whole, else the next",
        "forecast": "pieces, a mean; the intervals are of quantiles, and reach to it where sales are few",
        "low_95": "of the 95 % interval",
        "low_80": "of the 80 % interval",
        "high_80": "of the 80 % interval",
        "high_95": "of the 95 % interval",
        "from_users": "what users' forecasts alone expect; null but for the main level",
        "recent": "mean of the last four weeks, less returns; what came back beyond a week's sales is off later weeks",
        "a_year_before": "sold in the same week a year before; null where the log is shorter",
        "season_over": "whether that tells of a season that ends, which the forecast does not know",
        "planned_mailer": "stores with the promotion that week; only of logs whose plans are known",
        "planned_display": "stores with the promotion that week; only of logs whose plans are known",
    }

    TABLES: ClassVar = {
        "reorder": (
            "each series: level, id, name, rule (by which it is ordered), service_level, weeks_covered, "
            "sold_this_week (in the running week, the first of those covered), expected_demand (the rest), "
            "order_up_to (stock and open orders there should be), safety_stock, stock_if_followed, order_quantity "
            "(from there), a_year_before (sold in these weeks a year before), "
            "season_over (as in the frame)"
        ),
    }

    def plot(self, name: str = "") -> alt.LayerChart:
        """The weeks of one series (that of the greatest demand by default) with its 80 % interval."""
        from trajectory.reports import charts

        first = self.frame.group_by("name", maintain_order=True).agg(pl.col("forecast").sum()).sort("forecast")
        name = name or str(first["name"][-1])
        rows = self.frame.filter(pl.col("name") == name)
        if rows.is_empty():
            raise UserError(f"no series is called {name}; there are such as {', '.join(self.frame['name'].head(3))}")
        return charts.band(
            rows, "week:T", "forecast", {"80 %": ("low_80", "high_80")}, f"Demand of {name}", "pieces a week"
        )


class Funnel(Result):
    """Of the sessions with a view of an item or interest, the share in which it was then carted or bought."""

    COLUMNS: ClassVar = {
        "level": "item or interest",
        "id": "of an item in the source; of an interest its name",
        "name": "an item's title, or the name of the interest",
        "interest": "of the item; null where it has none",
        "sessions": "with a view of it; a session ends after 30 minutes without an event",
        "carts": "of these, in which it was then put into the cart; null, as its rates, where the log has no carts",
        "purchases": "of these, in which it was then bought",
        "cart": "probability that a session with a view of it comes to a cart of it",
        "cart_low": "of the 90 % interval",
        "cart_high": "of the 90 % interval",
        "purchase": "probability that a session with a view of it comes to a purchase of it",
        "purchase_low": "of the 90 % interval",
        "purchase_high": "of the 90 % interval",
        "purchase_of_cart": "probability that a session with a view and a cart of it comes to a purchase of it",
        "purchase_of_cart_low": "of the 90 % interval",
        "purchase_of_cart_high": "of the 90 % interval",
        "q_value": "share of false ones among those whose purchases differ from those of all of their level as much or "
        "more; null with fewer than 20 sessions",
    }

    def plot(self, level: str = "") -> alt.LayerChart:
        """The most viewed interests (items: `level`), those that are bought most often first, with 90 % intervals."""
        from trajectory.reports import charts

        levels = self.frame["level"].unique().to_list()
        level = level or ("interest" if "interest" in levels else "item")
        if level not in levels:
            raise UserError(f"there is no level {level!r} here; expected one of {', '.join(sorted(levels))}")
        shown = self.frame.filter(pl.col("level") == level).head(charts.MOST).sort("purchase", descending=True)
        ends = ("purchase_low", "purchase_high")
        return charts.ranges(shown, "name", "purchase", ends, f"A view becomes a purchase: {level}s", form=".0%")
