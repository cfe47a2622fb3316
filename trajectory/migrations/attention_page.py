"""What the page of migrations says of looking and buying, in a merchant's words."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from trajectory.migrations.attention import Attention
from trajectory.reports import charts, pictures

MUCH, NAMED = 0.01, 3  # of views, from which on an interest that is never bought is named; interests
DRAWN = 6  # interests, of the most purchases
SHOWN = 20
WIDTH, HEIGHT = 220, 110  # pixels of a panel


def attention_values(found: Attention) -> dict[str, Any]:
    """What the template fills in: rows, sentences, the picture and the days by which views are looked for."""
    whole = found.shares.group_by("interest").agg(pl.col("views", "purchases").sum())
    shares = whole.select(
        "interest",
        of_views=pl.col("views") / pl.col("views").sum(),
        of_purchases=pl.col("purchases") / pl.sum("purchases"),
    )
    rows = found.lag.join(shares, on="interest", how="left", maintain_order="left")
    return {
        "rows": [_row(row) for row in rows.head(SHOWN).iter_rows(named=True)],
        "left": max(rows.height - SHOWN, 0),
        "sentences": [*_sentences(found.lag), *_never_bought(shares), *([found.note] if found.note else [])],
        "svg": pictures.svg(_picture(found)) if found.shares["period"].n_unique() > 1 and rows.height else "",
        "period": found.period,
        "lookback": found.lookback,
    }


def span(days: float) -> str:
    """A time in the unit it is read in: "40 minutes", "3.5 hours", "12 days"."""
    for unit, length in (("minute", 1440.0), ("hour", 24.0), ("day", 1.0)):
        amount = days * length
        if amount < {"minute": 90, "hour": 36}.get(unit, float("inf")):
            break
    said = f"{amount:.0f}" if amount >= 9.95 or unit == "minute" else f"{amount:.1f}"
    return f"{said} {unit}" + ("" if said in ("1", "1.0") else "s")


def _row(row: dict[str, Any]) -> dict[str, str]:
    known = row["days"] is not None
    return {
        "interest": row["interest"],
        "of_views": f"{row['of_views']:.1%}",
        "of_purchases": f"{row['of_purchases']:.1%}",
        "purchases": f"{row['purchases']:,}",
        "viewed": f"{row['viewed']:.0%}",
        "earlier": f"{row['earlier']:.0%}",
        "days": f"{span(row['days'])} ({span(row['low'])} to {span(row['high'])})" if known else "",
        "earlier_days": "" if row["days_earlier"] is None else span(row["days_earlier"]),
        "half": f"{span(row['quarter'])} to {span(row['three_quarters'])}" if known else "",
    }


def _sentences(lag: pl.DataFrame) -> list[str]:
    bought = int(lag["purchases"].sum())
    before = lag.select((pl.col("purchases") * pl.col("earlier")).sum()).item()
    return [
        f"Of {bought:,} purchases {before / max(bought, 1):.0%} were of an interest that the buyer had looked at in an "
        "earlier visit, since last buying of it."
    ]


def _never_bought(shares: pl.DataFrame) -> list[str]:
    """The interests that were much looked at and never bought."""
    never = shares.filter(pl.col("of_purchases") == 0, pl.col("of_views") >= MUCH).sort("of_views", descending=True)
    if never.is_empty():
        return []
    named = ", ".join(f"{name} ({share:.1%})" for name, share, _ in never.head(NAMED).iter_rows())
    more = f" and {never.height - NAMED} more" if never.height > NAMED else ""
    return [f"Looked at, of all views, and never bought: {named}{more}."]


def _picture(found: Attention) -> alt.ConcatChart:
    drawn = found.lag["interest"].head(DRAWN).to_list()
    long = found.shares.unpivot(
        ["share_of_views", "share_of_purchases"],
        index=["interest", "start"],
        variable_name="of all",
        value_name="share",
    ).with_columns(pl.col("of all").str.strip_prefix("share_of_"))
    panels = [
        charts.lines(
            long.filter(pl.col("interest") == name)
            .drop("interest")
            .drop_nulls()
            .sort("of all", "start", descending=[True, False]),
            "start:T",
            "share",
            "of all",
            charts.wrapped(name, 34, 1),
            unit="share",
        )
        .encode(
            x=alt.X("start:T", title=None), y=alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=3))
        )
        .properties(width=WIDTH, height=HEIGHT)
        for name in drawn
    ]
    return charts.panels(panels, 3)
