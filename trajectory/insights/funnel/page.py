"""What the page says of the funnel, in a merchant's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from trajectory.insights.funnel.evaluate import ALL, COUNTING, OURS
from trajectory.insights.funnel.tables import LEAST
from trajectory.insights.report_model import Picture, Statement, Table, Text, folded
from trajectory.migrations.sessions import SESSION_TIMEOUT
from trajectory.reports import charts
from trajectory.reports.pictures import svg

FALSE = 0.05  # of those called better or worse than others, chance at most
SHOWN = 10  # that convert best, and worst
DRAWN = 20  # interests, of the most sessions
SHARES = {"cart": "put into the cart", "purchase": "bought", "purchase_of_cart": "bought, of carts"}
NOT_MEASURED = (
    "How far these rates hold was not measured: the run's split is not by time (split.kind=temporal), or no session "
    "with a view lies on one of its sides."
)


def sentences(table: pl.DataFrame, held: dict[str, Any], cut: datetime | None) -> tuple[Statement, ...]:
    """What converts best and worst, and whether the rates held."""
    said: list[Statement] = []
    for level in ("item", "interest"):
        rows, overall = table.filter(pl.col("level") == level), _overall(table, level)
        better, worse = extremes(rows, overall)
        for found, most in ((better, "often"), (worse, "seldom")):
            if not found.is_empty():
                first = found.row(0, named=True)
                alike = found.filter(
                    pl.col("purchase_high") >= first["purchase_low"], pl.col("purchase_low") <= first["purchase_high"]
                )
                others = f" (not told apart from {alike.height - 1} other {level}s)" if alike.height > 1 else ""
                words = (
                    f"Of the {level}s, a view of {first['name']} most {most} becomes a purchase in the same session"
                    f"{others}: {_rate(first, 'purchase')} of {first['sessions']:,} sessions with a view; of all "
                    f"{level}s {overall:.1%}."
                )
                said.append(Statement(words, "watch", "funnel"))
    if held and "purchase" in held:
        said.append(Statement(_held(held["purchase"], cut), "sure"))
    return tuple(said)


def seen_sentence(seen: int, purchases: int) -> str:
    """How many of the purchases the funnel tells of."""
    return (
        f"{seen:,} of {purchases:,} purchases (an item in a session, once) come after a view of the item in the same "
        "session; the others are in none of these rates."
    )


def extremes(rows: pl.DataFrame, overall: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of one level: those that convert better than all by more than chance, best first, and worse, worst first."""
    certain = rows.filter(pl.col("q_value") <= FALSE)
    better = certain.filter(pl.col("purchases") > overall * pl.col("sessions")).sort("purchase", descending=True)
    return better, certain.filter(pl.col("purchases") < overall * pl.col("sessions")).sort("purchase")


def blocks(
    table: pl.DataFrame, looks: list[str], held: dict[str, Any], cut: datetime | None
) -> tuple[Text | Table | Picture, ...]:
    """How sessions are counted, the rates of interests, the items and interests that stand out, and how they held."""
    shown: list[Text | Table | Picture] = [Text(_how(looks))]
    interests = table.filter(pl.col("level") == "interest")
    if not interests.is_empty():
        shown.append(_picture(interests.head(DRAWN)))
    for level in ("interest", "item"):
        rows = table.filter(pl.col("level") == level)
        if not rows.is_empty():
            shown += _standing_out(rows, level, _overall(table, level))
    return (*shown, *folded([_held_table(held, cut)] if held and cut else [Text(NOT_MEASURED)]))


def _how(looks: list[str]) -> str:
    return (
        f"Sessions are counted, not events: of the sessions with a {' or '.join(looks)} of an item, or of any "
        "item of an interest, the share in which it was then put into the cart, or bought. A session ends after "
        f"{SESSION_TIMEOUT / 60:.0f} minutes without an event, whatever the log itself calls a session; what is bought "
        "in a later session does not count. Rates of few sessions are shrunk towards that of the interest, and that of "
        "an interest towards that of all, as far as items and interests are alike, so that two sessions do not make a "
        "rate of 0 % or 100 %. Intervals are of 90 %, and take sessions as independent of each other."
    )


def _picture(rows: pl.DataFrame) -> Picture:
    ordered = rows.sort("purchase", descending=True)
    drawn = charts.ranges(
        ordered, "name", "purchase", ("purchase_low", "purchase_high"), "", "bought, of sessions with a view", ".0%"
    ).properties(width=charts.NARROW)
    first, last = ordered.row(0, named=True), ordered.row(-1, named=True)
    words = (
        f"Of {rows.height} interests {first['name']} is bought in {_rate(first, 'purchase')} of the sessions with a "
        f"view of it, {last['name']} in {_rate(last, 'purchase')}."
    )
    title = "How often a view becomes a purchase: the most viewed interests"
    return Picture(title, svg(drawn), words, "Lines: 90 % intervals.")


def _standing_out(rows: pl.DataFrame, level: str, overall: float) -> list[Text | Table]:
    enough = rows.filter(pl.col("sessions") >= LEAST)
    if enough.is_empty():
        return [Text(f"No {level} was viewed in {LEAST} sessions or more: none can be told from the others.")]
    better, worse = extremes(rows, overall)
    if better.is_empty() and worse.is_empty():
        return [
            Text(
                f"Of {enough.height:,} {level}s with {LEAST} sessions or more none is bought more or less often than "
                f"all ({overall:.1%}) by more than chance."
            )
        ]
    found = pl.concat([better.head(SHOWN), worse.head(SHOWN).reverse()])
    cells = found.select(
        pl.col("name").alias(level),
        *([pl.col("interest")] if level == "item" else []),
        "sessions",
        *(
            pl.Series(words, [_rate(row, step) for row in found.iter_rows(named=True)], pl.String)
            for step, words in SHARES.items()
            if found[step].null_count() < found.height
        ),
    )
    note = (
        f"{better.height:,} of {enough.height:,} {level}s with at least {LEAST} sessions are bought more often than "
        f"all ({overall:.1%}) by more than chance, and {worse.height:,} less often; one in twenty of them at most is "
        f"expected to be chance. Shown are up to {SHOWN} of each. In brackets: 90 % intervals."
    )
    return [
        Table(
            f"{level.capitalize()}s whose views become purchases most and least often",
            cells,
            {"sessions": "{:,}"},
            note=note,
        )
    ]


def _rate(row: dict[str, Any], step: str) -> str:
    low, high = row[f"{step}_low"], row[f"{step}_high"]
    if row[step] is None:  # of carts, where there is none
        return ""
    return f"{row[step]:.1%} ({low:.1%} to {high:.1%})"


def _overall(table: pl.DataFrame, level: str) -> float:
    rows = table.filter(pl.col("level") == level)
    return int(rows["purchases"].sum()) / max(int(rows["sessions"].sum()), 1)


def _held(measured: dict[str, Any], cut: datetime | None) -> str:
    loss = {name: of["log_loss"]["value"] for name, of in measured["methods"].items()}
    rivals = {"counting each item alone": COUNTING, "the rate of all items": ALL}
    others = ", ".join(
        f"{words} {loss[name]:.4f} (ours less this: {_less(measured['less'][name])})" for words, name in rivals.items()
    )
    return (
        f"Whether a view becomes a purchase was predicted of the sessions from {cut:%d %B %Y} on with a log loss of "
        f"{loss[OURS]:.4f}; {others}. Less is better."
    )


def _held_table(held: dict[str, Any], cut: datetime) -> Table:
    rows = [
        {"what follows": step, "rate": name}
        | {
            words: f"{of[measure]['value']:.4f} ({of[measure]['low']:.4f} to {of[measure]['high']:.4f})"
            for measure, words in (("log_loss", "log loss"), ("brier", "Brier score"))
        }
        | {"ours less this": _less(measured["less"].get(name))}
        for step, measured in held.items()
        for name, of in measured["methods"].items()
    ]
    one = next(iter(held.values()))
    happened = " and ".join(f"{measured['happened']:,} became a {step}" for step, measured in held.items())
    note = (
        f"{one['views']:,} views (an item in a session, once) of {one['users']:,} users from {cut:%d %B %Y} on, of "
        f"which {happened}; the rates are of the sessions before. Less is better; in brackets, and in the last column "
        "of the log loss: 95 % intervals over users."
    )
    return Table("How well the rates predicted what became of later views", pl.DataFrame(rows), note=note)


def _less(measured: dict[str, Any] | None) -> str:
    return "" if measured is None else f"{measured['log_loss']['low']:+.4f} to {measured['log_loss']['high']:+.4f}"
