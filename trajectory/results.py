"""What the calls of a run give back: a table of documented columns, further tables, what must be said, a chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl
from ml_collections import ConfigDict

from trajectory import faults
from trajectory.schema import UserError
from trajectory.writing import write_csv, write_parquet, write_text

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_NULLABLE: dict[object, str] = {  # pandas' types of columns with nulls
    **{kind: kind.__name__ for kind in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)},
    pl.UInt64: "UInt64",
    pl.Boolean: "boolean",
}
WRITERS = (".parquet", ".csv", ".json")


@dataclass(frozen=True)
class Result:
    """A table and what belongs to it.

    `frame`: the rows, in the columns that `COLUMNS` explains. `tables`: further tables by name. `notes`: sentences
    that a reader of the rows must know. `markdown`: the same for readers, as commands print it, where there is such a
    text.
    """

    COLUMNS: ClassVar[dict[str, str]] = {}
    TABLES: ClassVar[dict[str, str]] = {}  # what each of `tables` is, with its columns

    frame: pl.DataFrame
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    markdown: str = ""

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas data frame; numbers and truths that may be null are Int64 and boolean.

        Raises UserError without pandas.

        Example:
          >>> result.to_pandas().columns[0]
          'user'
        """
        try:
            frame = self.frame.to_pandas()
            return frame.astype({name: _NULLABLE[kind] for name, kind in self._null_types().items()})
        except ImportError:
            raise UserError(
                "to_pandas needs the package pandas, which is not installed; `pip install pandas`"
            ) from None

    def write(self, path: Path | str) -> Path:
        """Writes the rows, whole or not at all.

        Args:
          path: ends in .parquet, .csv (where lists are text, and nothing starts a formula) or .json.

        Returns the path.

        Raises UserError for another ending, or where the file cannot be written.

        Example:
          >>> result.write("result.parquet").name
          'result.parquet'
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise UserError(f"{path}: the folder {path.parent} does not exist; make it first")
        try:
            self._write(path)
        except OSError as error:
            raise UserError(faults.sentence(error)) from None
        return path

    def _write(self, path: Path) -> None:
        if path.suffix == ".parquet":
            write_parquet(self.frame, path)
        elif path.suffix == ".csv":
            write_csv(self.frame.with_columns(_flat(self.frame)), path)
        elif path.suffix == ".json":
            write_text(self.frame.write_json() + "\n", path)
        else:
            raise UserError(f"{path}: expected a name ending in {', '.join(WRITERS)}")

    def _null_types(self) -> dict[str, pl.DataType]:
        """The types of columns that have nulls where pandas' usual types have none."""
        return {c.name: c.dtype for c in self.frame if c.null_count() and c.dtype in _NULLABLE}

    def plot(self) -> alt.Chart | alt.LayerChart:
        """A chart that a notebook shows."""
        raise NotImplementedError

    def __repr__(self) -> str:
        said = "".join(f"\n{note}" for note in self.notes)
        return f"{type(self).__name__}: {self.frame.height:,} rows{said}\n{self.frame}"

    def _repr_html_(self) -> str:
        return self.frame._repr_html_()

    def _of_user(self, user: str | None) -> tuple[str, pl.DataFrame]:
        """A user's rows; of the first one if none is named. UserError for one who has none."""
        ids = self.frame["user"].cast(pl.String)
        if not len(ids):
            raise UserError("there is nothing to draw: the table has no rows")
        name = str(ids[0]) if user is None else str(user)
        rows = self.frame.filter(ids == name)
        if rows.is_empty():
            raise UserError(f"user {name} has no rows here; there are such as {', '.join(ids.unique().head(3))}")
        return name, rows


def _flat(frame: pl.DataFrame) -> list[pl.Expr]:
    """Lists as text, for files that have none."""
    lists = {name: kind for name, kind in frame.schema.items() if kind.is_nested()}
    as_lists = {
        name: pl.col(name).arr.to_list() if isinstance(kind, pl.Array) else pl.col(name) for name, kind in lists.items()
    }
    return [column.list.eval(pl.element().cast(pl.String)).list.join("; ") for column in as_lists.values()]


def _label(title: str, otherwise: str) -> pl.Expr:
    return pl.coalesce(pl.col(title), pl.col(otherwise).cast(pl.String)).alias("name")


@dataclass(frozen=True, repr=False)
class Prepared(Result):
    """A log as it is learned from, one row for each event that is kept.

    `config` trains on it; `tables["quarantine"]` has the rows that were set aside, each with its reason.
    """

    config: ConfigDict = field(kw_only=True)

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "item": "id of the source",
        "time": "UTC; null where it is not known",
        "event_type": "standard type, such as view or purchase",
        "step": "number of the event's step in its history, from 0; events of one step have no order",
        "quantity": "pieces; null where the log has none",
        "value": "of the whole row; null where the log has none",
    }

    TABLES: ClassVar = {
        "quarantine": (
            "rows that were set aside: source_line (from 1), file where there are several, reason, and user, "
            "item, time, event_type and others there are as they stood, malformed (the whole line where it had "
            "no cells)"
        ),
    }

    def plot(self) -> alt.Chart:
        """Events of each type by week; of a log without times events of each type."""
        from trajectory.reports import charts

        if self.frame["time"].null_count() == self.frame.height:
            counts = self.frame.group_by("event_type").len("events").sort("events", descending=True)
            return charts.bars(counts, "event_type", "events", "Events of each type")
        week = pl.col("time").dt.truncate("1w").alias("week")
        return charts.lines(
            self.frame.group_by(week, "event_type").len("events").sort("week"),
            "week:T",
            "events",
            "event_type",
            "Events a week",
        )


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
        "conversion": "of runs with a conversion head too: user, probability (after the last event), calibrated",
    }

    def plot(self, user: str | None = None) -> alt.Chart:
        """The items of one user (the first by default)."""
        from trajectory.reports import charts

        name, rows = self._of_user(user)
        rows = rows.with_columns(_label("title", "item"))
        return charts.bars(rows, "name", "probability", f"Next step of {name}", percent=True)


class Forecast(Result):
    """What comes at each of the next steps of each user, one statement a row."""

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "statement": "at_step: it is (a line of) that step; within_steps: it comes within steps 1 to `step`, no "
        "less likely than at one of them; "
        "within_days: within `days` days; time: the step comes after `days` (median), with 80 % probability between "
        "`days_low` and `days_high`; path: a step of the path number `rank`; nothing_left: no item may come, and why",
        "level": "item or interest; null for time",
        "step": "1 = next",
        "rank": "1 = most likely",
        "id": "of the item in the source, or the interest's name",
        "title": "null where the item has none",
        "probability": "of the statement; of a path's step after those before it",
        "path_probability": "of the whole path",
        "days_low": "days",
        "days": "days",
        "days_high": "days",
        "calibrated": "probability or days were fitted to outcomes of validation users; interests by themselves, so "
        "that one's probability need not be the sum of its items'",
        "in_set_90": "at_step of items: in the set that holds a line of the step with 90 %; null where no sets were "
        "fitted; the table has the 20 most likely items of a step, and the set may have more",
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
        rows = rows.filter(pl.col("level") == level).with_columns(_label("title", "id")).drop_nulls("name")
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
        "time": "unix seconds; null in a log without times",
        "item": "id of the source; null where the model does not know it",
        "title": "the id where the item has none",
        "interest": "of the item",
        "event_type": "such as view or purchase",
        "target": "what is explained: an item's id, an interest, two interests with > between them, or conversion",
        "step": "steps ahead",
        "method": "of attribution",
        "log_probability": "of the target, before calibration; a migration's log-odds; nats",
        "base_value": "the same where every event is the reference (explain.reference), as shap names it; nats",
        "completeness_error": "by how much the sum of the values misses log_probability - base_value, relative",
        "feature": "input of the event: item, event_type, gap (since the one before), calendar (hour, weekday), ...",
        "value": "what it adds to the log-probability (a migration's log-odds), in nats",
    }

    def plot(self, user: str | None = None) -> alt.Chart:
        """What each event of one user adds, oldest first."""
        from trajectory.reports import charts

        name, rows = self._of_user(user)
        rows = rows.filter(pl.col("step") == rows["step"][0])
        events = rows.group_by("event", "title", maintain_order=True).agg(pl.col("value").sum()).sort("event")
        events = events.tail(charts.MOST).with_columns(
            name=pl.format("{}. {}", pl.col("event") + 1, pl.col("title").fill_null("unknown item"))
        )
        title = f"What drives the forecast of {rows['target'][0]} for {name}"
        return charts.bars(events, "name", "value", title, unit="log-probability, nats")


class Recommendations(Result):
    """Lists of items for each user, over the steps to come."""

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "list": "which of a user's lists: the most likely items, or those new to the user",
        "rank": "1 = first",
        "item": "id of the source",
        "title": "null where the item has none",
        "interest": "of the item",
        "probability": "that the item comes within the steps; null where it is not known",
        "again": "the user has had the item",
    }

    TABLES: ClassVar = {
        "new_buyers": (
            "items with the most users to win: item, title, expected (new buyers within the steps), users (who "
            "have not bought it)"
        ),
        "without_list": "users for whom nothing is left, where there are any",
    }

    def plot(self, user: str | None = None) -> alt.Chart:
        """A user's first list."""
        from trajectory.reports import charts

        name, rows = self._of_user(user)
        rows = rows.filter(pl.col("list") == rows["list"][0]).with_columns(_label("title", "item"))
        return charts.bars(rows, "name", "probability", f"For {name}: {rows['list'][0]}", percent=True)


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

    def plot(self, most: int = 2000) -> alt.Chart:
        """The first `most` vectors by their two principal components."""
        from trajectory.reports import charts

        rows = self.frame.head(most)
        return charts.scatter(
            rows["vector"].to_numpy(), rows[rows.columns[0]].to_list(), f"Vectors of {rows.columns[0]}s"
        )


@dataclass(frozen=True, repr=False)
class Migrations(Result):
    """Lasting changes of users' interests that are larger than chance and season explain, one a row.

    The share of false ones is held where a session leans on the season and on the session before it (`memory` of
    tested, 0 to 1) and not on more: habits of several sessions that are no lasting change can pass for one.
    `tables`: tested (every user with enough sessions), flows and, where the run forecasts them, what is to come.
    `markdown`: how accurate such forecasts were, where the run held out as many steps.
    """

    page: Callable[[Path], Path] | None = field(default=None, kw_only=True)

    COLUMNS: ClassVar = {
        "user": "id of the source",
        "source": "interest that is left",
        "destination": "interest that is taken up",
        "start": "UTC, or a step's number in a log without times",
        "low": "of the 90 % interval of start",
        "high": "of the 90 % interval of start",
        "end": "when all of the mass has moved",
        "window": "of the start, from 0",
        "mass": "share of the user's interest that moved",
        "divergence": "Jensen-Shannon, of the states before and after, bits",
        "p_value": "of the permutation test",
        "q_value": "share of false ones among those found at this p_value or below",
        "confidence": "1 - q_value",
    }

    TABLES: ClassVar = {
        "tested": "each user with enough sessions: user, p_value, q_value",
        "flows": (
            "each pair of interests: source, destination, users, mass (mean), expected (by chance), lift, low, "
            "high (95 % interval)"
        ),
        "forecast": (
            "the largest expected move of each user, where the run forecasts: user, source, destination, mass, "
            "moved (all of it)"
        ),
    }

    def write_page(self, folder: Path | str) -> Path:
        """Writes migration.html and its tables into `folder`, as `trajectory migrate` does; returns the page."""
        if self.page is None:
            raise UserError("only what run.migrations() returned has a page; call it again")
        return self.page(Path(folder))

    def plot(self) -> alt.Chart:
        """How many users moved from which interest to which."""
        from trajectory.reports import charts

        flows = self.frame.group_by("source", "destination").len("users").sort("users", descending=True)
        largest = flows.head(charts.MOST * 3).sort("source", "destination")
        return charts.heat(largest, "destination", "source", "users", "Users that migrated")


class Segments(Result):
    """The segment of each user; `tables` has their profiles."""

    COLUMNS: ClassVar = {"user": "id of the source", "segment": "name, by what sets it apart"}

    TABLES: ClassVar = {
        "segment_profiles": (
            "each segment: segment, users, share of users and of value (all that was brought so far), value a "
            "week so far and expected, drift (mean change of the mix), new_members, sets_apart (interests with "
            "the largest lift), path (largest shares so far -> expected)"
        ),
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
        "days": "expected until the user's next step",
        "weekday": "on which the user comes most",
        "hour": "UTC, at which the user comes most",
        "context": "what the user bought lately that goes with it",
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
        "name": "of the series",
        "week": "its Monday",
        "weeks_ahead": "1 = next",
        "forecast": "pieces",
        "low_95": "of the 95 % interval",
        "low_80": "of the 80 % interval",
        "high_80": "of the 80 % interval",
        "high_95": "of the 95 % interval",
        "from_users": "what users' forecasts alone expect; null but for the main level",
        "recent": "mean of the last four weeks, less returns; what came back beyond a week's sales is off later weeks",
        "planned_mailer": "stores with the promotion that week, where plans are known",
        "planned_display": "stores with the promotion that week, where plans are known",
    }

    TABLES: ClassVar = {
        "reorder": (
            "each series: level, name, rule (by which it is ordered), service_level, weeks_covered, "
            "expected_demand, order_up_to (stock and open orders there should be), safety_stock, "
            "stock_if_followed, order_quantity (from there)"
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
