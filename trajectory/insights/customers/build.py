"""The part `customers`: what each is expected to bring, who is likely lost, what they turn to, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from trajectory.data.times import DAY
from trajectory.evaluation.standing import warning
from trajectory.inference.step_forecast import steps_ahead
from trajectory.insights.customers.forecast import LEVEL, OWN, CustomerForecast, most_bought
from trajectory.insights.customers.next_order import LAST, MEAN, MEDIAN
from trajectory.insights.report_model import Part, Statement, Table, Text
from trajectory.insights.sale_lines import SaleLines, sale_lines
from trajectory.migrations.state_forecast import step_states
from trajectory.reports.words import words
from trajectory.run import Run
from trajectory.schema import Histories, Queries

LOST = 0.5  # chance of no order from which on a customer is to be won back
TOP = 0.1  # of customers, by expected spend: to be kept first
NEW = 28  # days since the first order of a new customer
LATELY = 90  # days of what a customer is interested in now
FEWEST = 20  # customers of an action that is worth a sentence
SHOWN = 15
WIN_BACK, KEEP, WELCOME = "win back", "keep", "welcome"


def build_customers(run: Run) -> Part:
    """The customers as of the end of the run's log; measured are earlier ends. UserError for too few orders or days."""
    histories = run.experiment.histories
    lines = sale_lines(histories)
    found = run.customer_forecast
    table = customers_table(run, found, lines)
    unit = words(histories).unit
    return Part(
        name="customers",
        title="Customers: what each will bring, and what to do",
        sentences=tuple(_sentences(found, table, unit)),
        blocks=(Text(_how(found, unit)), _first(table, unit, found.days), _held(found, unit), _next_held(found)),
        tables={"customers": table},
        measured=found.measured,
    )


def customers_table(run: Run, found: CustomerForecast, lines: SaleLines) -> pl.DataFrame:
    """A row for each customer, the largest expected spend first: user, orders and spend so far, last_order, expected
    orders and spend of the coming days with low and high, no_order (its chance), next_order with next_from and next_to
    (days; null where it is not expected within the coming days), inactive (chance of having left by BG/NBD; null
    after one order, or where it cannot be fitted), interest_now and interest_next (null where they are not known),
    action.
    """
    histories, now = run.experiment.histories, found.now
    top = found.spend >= np.quantile(found.spend, 1 - TOP)
    action = np.full(len(now.user), "", object)
    action[top & (found.none < LOST)] = KEEP
    action[now.habits.age <= NEW] = WELCOME
    action[(found.none >= LOST) & (now.habits.again > 0) & (now.spend >= np.median(now.spend))] = WIN_BACK
    last = np.round(now.moment - (now.habits.age - now.habits.recency) * DAY)
    table = pl.DataFrame(
        {
            "user": histories.users["user"].gather(now.user).cast(pl.String),
            "orders_so_far": (now.habits.again + 1).astype(np.int64),
            "spend_so_far": now.spend,
            "last_order": pl.from_epoch(pl.Series(last.astype(np.int64)), "s").dt.date(),
            "orders_expected": found.orders,
            "spend_expected": found.spend,
            "spend_low": found.low,
            "spend_high": found.high,
            "no_order": found.none,
            "next_order": _day(now.moment, found.next.wait[:, 1]),
            "next_from": _day(now.moment, found.next.wait[:, 0]),
            "next_to": _day(now.moment, found.next.wait[:, 2]),
            "inactive": pl.Series(found.inactive).fill_nan(None),
            "interest_now": _interest_now(histories, lines)[now.user],
            "interest_next": _interest_next(run, now.user),
            "action": action.tolist(),
        },
        schema_overrides=dict.fromkeys(("interest_now", "interest_next", "action"), pl.String),
    )
    return table.sort("spend_expected", "user", descending=[True, False])


def _day(moment: int, wait: np.ndarray) -> pl.Series:
    """The day that is `wait` days after a moment; null where that is inf."""
    ahead = pl.Series(np.where(np.isfinite(wait), moment + wait * DAY, np.nan)).fill_nan(None)
    return pl.from_epoch(ahead.cast(pl.Int64), "s").dt.date()


def _interest_now(histories: Histories, lines: SaleLines) -> np.ndarray:
    """The interest of which each user bought most in the last LATELY days, or so far where nothing; object [N]."""
    names = np.array([None, *histories.interests], object)
    until = histories.now + 1
    lately = most_bought(histories, lines, histories.now - LATELY * DAY, until)
    return names[np.where(lately > 0, lately, most_bought(histories, lines, 0, until))]


def _interest_next(run: Run, users: np.ndarray) -> list[str | None]:
    """The interest that the model expects most of in the steps to come; None where it is behind counting."""
    histories = run.experiment.histories
    if not histories.interests or not run.config.heads.item or warning(run, "interests"):
        return [None] * len(users)
    start, stop = histories.offsets[:-1][users], histories.offsets[1:][users]
    states = step_states(run, histories, Queries(users, start, stop, stop), steps_ahead(run.config)).interests
    return [histories.interests[at] for at in states.mean(1).argmax(1)]


def _sentences(found: CustomerForecast, table: pl.DataFrame, unit: str) -> list[Statement]:
    said, held = [], found.measured
    total = float(table["spend_expected"].sum())
    of = {action: table.filter(pl.col("action") == action) for action in (WIN_BACK, KEEP, WELCOME)}
    if (keep := of[KEEP]).height >= FEWEST:
        share = float(keep["spend_expected"].sum()) / max(total, 1e-9)
        words = (
            f"Keep {keep.height:,} customers first: they are expected to bring {keep['spend_expected'].sum():,.0f} of "
            f"the {unit} of the next {found.days} days, {share:.0%} of what all customers so far are."
        )
        said.append(Statement(words, "do", "customers"))
    if (lost := of[WIN_BACK]).height >= FEWEST:
        words = (
            f"Win back {lost.height:,} customers who came more than once, brought {lost['spend_so_far'].sum():,.0f} of "
            f"the {unit} so far, and are more likely than not to buy nothing in the next {found.days} days."
        )
        said.append(Statement(words, "do", "customers"))
    said.append(Statement(_accuracy(found, unit), "sure", "customers"))
    early = held["methods"][held["by"]["spend"]]["spend"]["total"]
    words = (
        f"All customers together were forecast {abs(early):.0%} too {'high' if early > 0 else 'low'}; "
        f"{held['inside']:.0%} of single customers lay within their {LEVEL:.0%} range."
    )
    said.append(Statement(words, "sure"))
    said.append(Statement(_next_accuracy(found), "sure", "customers"))
    return said


def _accuracy(found: CustomerForecast, unit: str) -> str:
    held = found.measured
    chosen, rows = held["by"]["spend"], held["methods"]
    others = [f"{name} {of['spend']['error']:,.1f}" for name, of in rows.items() if name != chosen]
    own = rows[OWN]["spend"]["more"]
    ahead = "" if chosen == OWN or own[1] > 0 else " It is not ahead of the customer's own rate beyond chance."
    off, usual = rows[chosen]["spend"]["error"], held["mean_spend"]
    return (
        f"What a customer brings in {held['days']} days was off by {off:,.1f} on average (of {usual:,.1f} {unit}; "
        f"{chosen}); {', '.join(others)}.{ahead}"
    )


def _next_accuracy(found: CustomerForecast) -> str:
    held = found.measured["next_order"]
    rows, days = held["methods"], found.measured["days"]
    chosen, others = rows[held["by"]], ", ".join(f"{name} {rows[name]['error']:.1f}" for name in (LAST, MEAN, MEDIAN))
    return (
        f"The next order was {chosen['error']:.1f} days from when it was expected on average, waits counted up to "
        f"{days} days ({others}), and within its {LEVEL:.0%} range for {chosen['inside']:.0%} of customers; "
        f"{held['none']:.0%} had none within {days} days, and whether was told right for {chosen['not_within']:.0%}."
    )


def _how(found: CustomerForecast, unit: str) -> str:
    chosen = found.by
    return (
        f"Customers are users with an order so far; each is expected to bring so much of the {unit} in the next "
        f"{found.days} days, and with {LEVEL:.0%} certainty between low and high. Methods are chosen on the "
        f"{found.days} days before the ones they are tested on: {chosen['spend']} for spend, {chosen['orders']} for "
        f"orders, {chosen['none']} for the chance of no order, {found.next.by} for the day of the next order; no "
        "fewer orders are expected than the chance of one. "
        f"Inactive is the chance of having left for good by BG/NBD, which says nothing after a single order. "
        f"What to do: {WELCOME} whose first order is no more than "
        f"{NEW} days ago; {WIN_BACK} who came again, brought more than most and will more likely than not buy nothing; "
        f"{KEEP} the tenth that is expected to bring most. New customers to come are in none of these figures."
    )


def _first(table: pl.DataFrame, unit: str, days: int) -> Table:
    columns = {
        "user": "customer",
        "orders_so_far": "orders so far",
        "last_order": "last order",
        "orders_expected": "orders to come",
        "spend_expected": f"{unit} to come",
        "spend_low": "low",
        "spend_high": "high",
        "no_order": "chance of no order",
        "next_order": "next order",
        "next_from": "from",
        "next_to": "to",
        "inactive": "inactive",
        "interest_now": "buys now",
        "interest_next": "turns to",
        "action": "what to do",
    }
    late = pl.lit(f"not within {days} days")
    when = [pl.col(name).cast(pl.String).fill_null(late) for name in ("next_order", "next_from", "next_to")]
    rows = table.head(SHOWN).with_columns(when).select(*columns).rename(columns)
    rows = rows.select(column for column in rows if column.null_count() < rows.height or column.name == "customer")
    numbers = dict.fromkeys((columns["spend_expected"], "low", "high"), "{:,.0f}")
    return Table(
        f"The customers who are expected to bring most in the next {days} days",
        rows,
        numbers | {"orders to come": "{:.1f}", "chance of no order": "{:.0%}", "inactive": "{:.0%}"},
        note="All customers are in the table customers; look one up above.",
    )


def _held(found: CustomerForecast, unit: str) -> Table:
    held = found.measured
    rows: list[dict[str, Any]] = []
    for name, of in held["methods"].items():
        more = of["spend"]["more"]
        rows.append(
            {
                "method": name,
                "orders off by": of["orders"]["error"],
                f"{unit} off by": of["spend"]["error"],
                "more than the chosen": _between(more[0], more[1:], "{:+.1f}"),
                "all together": of["spend"]["total"],
                "no order: AUC": of.get("none", {}).get("auc"),
                "no order: log loss": of.get("none", {}).get("log_loss"),
            }
        )
    asked = f"{held['customers']:,} customers in the {held['days']} days"
    return Table(
        f"How such forecasts held for {asked} from {datetime.fromtimestamp(held['from'], UTC):%d %B %Y} on",
        pl.DataFrame(rows),
        {
            "orders off by": "{:.2f}",
            f"{unit} off by": "{:,.1f}",
            "all together": "{:+.1%}",
            "no order: AUC": "{:.3f}",
            "no order: log loss": "{:.3f}",
        },
        note="Off by: mean over customers of the absolute difference; in brackets: 95 % interval over customers.",
        fold=True,
    )


def _next_held(found: CustomerForecast) -> Table:
    held = found.measured["next_order"]
    rows = [
        {
            "method": name,
            "days off by": _between(of["error"], of["error_range"], "{:.1f}"),
            "more than the chosen": _between(of["more"][0], of["more"][1:], "{:+.1f}"),
            "told right whether within": _between(of["not_within"], of["not_within_range"], "{:.1%}"),
            f"within the {LEVEL:.0%} range": of.get("inside"),
            "pinball loss": of.get("pinball"),
        }
        for name, of in held["methods"].items()
    ]
    return Table(
        "How the next orders of the same customers held",
        pl.DataFrame(rows),
        {f"within the {LEVEL:.0%} range": "{:.1%}", "pinball loss": "{:.2f}"},
        note=f"Waits are counted up to {found.measured['days']} days; in brackets: 95 % interval over customers. "
        f"Chosen before by pinball loss: {held['by']}.",
        fold=True,
    )


def _between(value: float, ends: Sequence[float], form: str) -> str:
    low, high = (form.format(end) for end in ends)
    return f"{form.format(value)} ({low} to {high})"
