"""What a run gives back of its users' next steps: predictions, forecasts, explanations, vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from trajectory.results.result import Result, label

if TYPE_CHECKING:
    import altair as alt


class Predictions(Result):
    """The most likely items of each user's next step, by the model as it was trained.

    They are not calibrated, also of a run that is: its calibrated probabilities of the next step are `at_step` of step
    1 of `run.forecast`, which rank items otherwise.
    """

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "rank": "1 = most likely",
        "item": "id of the source",
        "title": "null where the item has none",
        "probability": "that the next step is of this item, among those that may come",
        "calibrated": "false: a calibration is of forecasts alone",
    }

    TABLES: ClassVar = {
        "without": "users for whom nothing is left: user, reason",
        "conversion": (
            "of runs with a conversion head too: user, probability (of one after the last event, as it was then: "
            "within conversion.horizon_days or horizon_events, later in the session, or of what was put into the cart; "
            "null where these days or the session are over, or the last event is no cart event), calibrated (true: by "
            "validation, once the run was evaluated)"
        ),
    }

    def plot(self, user: str | None = None) -> alt.Chart:
        """The items of one user (the first by default)."""
        from trajectory.reports import charts

        name, rows = self._of_user(user)
        rows = rows.with_columns(label("title", "item"))
        return charts.bars(rows, "name", "probability", f"Next step of {name}", percent=True)


class Forecast(Result):
    """What comes at each of the next steps of each user, one statement a row."""

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "statement": "at_step: it is that step, of a basket one line of it drawn at random; "
        "within_steps: it comes within steps 1 to `step`, no "
        "less likely than at one of them; "
        "within_days: within `days` days of the user's last event, left out where these are over; time: "
        "the step comes `days` (median) after the log's last event, with 80 % probability between `days_low` and "
        "`days_high`; both given that nothing came of the user until then; path: a step of the path number `rank`; "
        "nothing_left: no item may come, and why",
        "level": "item or interest; null for time",
        "step": "1 = next",
        "rank": "1 = most likely",
        "id": "of the item in the source, or the interest's name",
        "title": "null where the item has none",
        "probability": "of the statement; of a path's step after those before it",
        "path_probability": "of the whole path",
        "calibrated": "probability or days were fitted to outcomes of validation users; interests by themselves, so "
        "that one's probability need not be the sum of its items' (it is no less than any of them); times after a "
        "silence by themselves, too, false where too few waits were long",
        "in_set_90": "at_step of items: in the set that holds a line of the step with 90 %; null where no sets were "
        "fitted",
        "set_size_90": "items of that set: of more than 20, the table has the 20 most likely, which hold the step less "
        "often",
        "days_low": "days",
        "days": "days",
        "days_high": "days",
    }

    TABLES: ClassVar = {
        "without": "users for whom nothing is left: user, reason",
    }

    def plot(self, user: str | None = None, level: str = "", top: int = 8) -> alt.Chart:
        """How likely each of a user's `top` interests (items, where there are none) is at each step."""
        from trajectory.reports import charts

        name, rows = self._of_user(user)
        rows = rows.filter(pl.col("statement") == "at_step")
        level = level or ("interest" if "interest" in rows["level"] else "item")
        rows = rows.filter(pl.col("level") == level).with_columns(label("title", "id")).drop_nulls("name")
        first = (
            rows.group_by("name").agg(pl.col("probability").sum()).sort("probability", "name", descending=[True, False])
        )
        chosen = first.head(top).select("name").join(rows, on="name", maintain_order="left")
        return charts.heat(chosen, "step", "name", "probability", f"Next steps of {name}")


class Explanation(Result):
    """What each input of each past event adds to a forecast (attribution)."""

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "event": "number within the history, from 0",
        "time": "by the log's clock; null in a log without times",
        "item": "id of the source; null where the model does not know it",
        "title": "null where the item has none",
        "interest": "of the item",
        "event_type": "such as view or purchase",
        "target": "what is explained: an item's id, an interest, two interests with > between them, or conversion",
        "step": "1 = next",
        "method": "of attribution",
        "log_probability": "of the target, before calibration; a migration's log-odds; nats",
        "base_value": "the same where every event is the reference (explain.reference), as shap names it; nats",
        "completeness_error": "by how much the sum of the values misses log_probability - base_value, relative",
        "feature": "input of the event: item, event_type, gap (since the one before), calendar (hour, weekday), ...",
        "value": "what it adds to the log-probability (a migration's log-odds), in nats",
    }

    TABLES: ClassVar = {
        "by_type": (
            "of a run of more than one type of event, what each type adds to each forecast: user, target, step, "
            "event_type, events (of the history that was read), value (what they add together, nats; over types it "
            "sums to all that events add), share (of the sum of all events' absolute values), and of the event of "
            "that type with the largest absolute value strongest_item, strongest_title, strongest_time and "
            "strongest_value"
        ),
    }

    def plot(self, user: str | None = None) -> alt.Chart:
        """What each event of one user adds, oldest first."""
        from trajectory.reports import charts

        name, rows = self._of_user(user)
        rows = rows.filter(pl.col("step") == rows["step"][0])
        rows = rows.with_columns(label("title", "item"))
        events = rows.group_by("event", "name", maintain_order=True).agg(pl.col("value").sum()).sort("event")
        events = events.tail(charts.MOST).with_columns(
            name=pl.format("{}. {}", pl.col("event") + 1, pl.col("name").fill_null("unknown item"))
        )
        title = f"What drives the forecast of {rows['target'][0]} for {name}"
        return charts.bars(events, "name", "value", title, unit="log-probability, nats")


class Embeddings(Result):
    """A vector for each item or user; the product of both is the item's logit.

    Of a run with a repeat head (model.repeat, said in `notes`) that is the logit of the part of the next step that is
    no repeat of a user's own items: lists by nearest vectors are then others than those of `run.predict`.
    """

    COLUMNS: ClassVar = {
        "item": "id of the source; of items alone",
        "user": "id of the source; of users alone",
        "vector": "float32 array",
    }

    def plot(self, limit: int = 2000) -> alt.Chart:
        """The first `limit` vectors by their two principal components."""
        from trajectory.reports import charts

        rows = self.frame.head(limit)
        return charts.scatter(
            rows["vector"].to_numpy(), rows[rows.columns[0]].to_list(), f"Vectors of {rows.columns[0]}s"
        )
