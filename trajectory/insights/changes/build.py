"""The part `changes`: what is sold more or less of than in the weeks before, as far as that is more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl

from trajectory.insights.changes.counted import DAYS, FALSE, Changes, changes
from trajectory.insights.changes.periods import periods
from trajectory.insights.report_model import Part, Statement, Table, Text
from trajectory.reports.words import attention_words, words
from trajectory.run import Run

NAMED = 3
SHOWN = 12  # of each direction
NUMBERS = dict.fromkeys(("before", "after", "a year before"), "{:,.0f}")
SHARES = dict.fromkeys(("change", "low", "high"), "{:+.1%}")


def build_changes(run: Run) -> Part:
    """The last weeks of the run's log beside the weeks before. UserError for a log without times, or too short."""
    histories = run.experiment.histories
    found = changes(histories)
    verb = words(histories).past if found.sells else attention_words(histories).past
    return Part(
        name="changes",
        title="What changed",
        sentences=(*_of_all(found.totals), *_of_goods(found.goods, verb)),
        blocks=(Text(_how(found)), *_tables(found, verb)),
        tables={"changes": found.goods, "change_totals": found.totals, "change_periods": periods(histories)},
        measured={"totals": found.totals.to_dicts()},
    )


def certain(goods: pl.DataFrame, level: str) -> pl.DataFrame:
    """The changes of a level that are more than chance, the largest gain first."""
    rows = goods.filter(pl.col("level") == level, pl.col("q_value") <= FALSE)
    return rows.sort("change", "name", descending=[True, False])


def _of_all(totals: pl.DataFrame) -> Iterator[Statement]:
    same = []
    for row in totals.iter_rows(named=True):
        if row["change"] is None or row["low"] <= 0 <= row["high"]:
            same.append(row["measure"])
            continue
        year = "" if row["year_before"] is None else f"; {row['year_before']:,.0f} in the same days a year before"
        than = f"{abs(row['change']):.1%} {'more' if row['change'] > 0 else 'less'} than in the {DAYS} before"
        measured = f"{row['after']:,.0f} {row['measure']}"
        if row["measure"] == "sales value":
            measured = f"Sales of {row['after']:,.0f}"
        words = f"{measured} in the last {DAYS} days, {than} ({row['low']:+.1%} to {row['high']:+.1%}){year}."
        yield Statement(words, "change", "change_totals")
    if same:
        words = f"No change beyond chance of {' and '.join(same)} against the {DAYS} days before."
        yield Statement(words, "change", "change_totals")


def _of_goods(goods: pl.DataFrame, verb: str) -> Iterator[Statement]:
    """What gained and lost most, of interests; of items where no interest did."""
    level = "interest" if certain(goods, "interest").height else "item"
    rows = certain(goods, level)
    gained, lost = rows.filter(pl.col("change") > 0), rows.filter(pl.col("change") < 0).reverse()
    for part, more in ((gained, "more"), (lost, "less")):
        if part.is_empty():
            continue
        first = part.select("name", "change").head(NAMED).rows()
        named = ", ".join(f"{name} ({change:+.0%})" for name, change in first)
        rest = f" and {part.height - NAMED:,} further" if part.height > NAMED else ""
        words = f"{level.capitalize()}s {verb} {more} than in the {DAYS} days before: {named}{rest}."
        yield Statement(words, "change", "changes")


def _how(found: Changes) -> str:
    begins = datetime.fromtimestamp(found.begins, UTC)
    return (
        f"The {DAYS} days from {begins:%d %B %Y} to the end of the log beside the {DAYS} before. Of interests and "
        f"items {_unit(found)} are counted, less what was given back. Intervals are of 95 %, "
        f"over customers; of all changes of interests and items that are told, one in {round(1 / FALSE)} at most is "
        "expected to be chance. A change may be of the season: compare the same days a year before."
    )


def _unit(found: Changes) -> str:
    if not found.sells:
        return "events"
    stated = "pieces" in found.totals["measure"].to_list()
    return "pieces" if stated else "lines of sales (the log states no pieces)"


def _tables(found: Changes, verb: str) -> Iterator[Table]:
    yield Table("In all", _shown(found.totals, "what"), NUMBERS | SHARES)
    for level in ("interest", "item"):
        rows = certain(found.goods, level)
        if rows.is_empty():
            continue
        some = pl.concat([rows.head(SHOWN), rows[max(SHOWN, rows.height - SHOWN) :]])
        more = rows.height - some.height
        left = f" {more:,} further ones are in the table changes." if more else ""
        yield Table(
            f"{level.capitalize()}s {verb} more or less than before",
            _shown(some.drop("level", "q_value"), level),
            NUMBERS | SHARES,
            note=f"Only what is more than chance explains.{left}",
        )


def _shown(rows: pl.DataFrame, first: str) -> pl.DataFrame:
    """The rows as the page heads them; without the year before, where the log has none."""
    named = rows.rename({rows.columns[0]: first, "year_before": "a year before"})
    return named if named["a year before"].count() else named.drop("a year before")
