"""Further lines of an order whose cells of the order are blank, below its first line, as ledgers export them."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.parsing import blank, is_text
from trajectory.data.ingest.findings import Findings
from trajectory.schema import UserError

HOW = ("auto", "fill", "keep")
_KEYS = ("user", "basket", "time")  # of an order
_LOOKED_AT = 100_000  # rows, of which some are such lines where any are
_PARTLY = 0.2  # rows with some of the keys to rows with none, from which it is unsure
# What stands in the place of an item on a line of sums.
_SUMS = (
    r"(?i)^\s*(?:(?:grand|sub)[\s-]?)?(?:total|totals|totale|totaal|toplam|gesamt|gesamtsumme|summe|summa|suma|celkem|"
    r"razem|итого|всего|合計|合计|总计|總計|합계|총계|jumlah|tổng|tổng cộng)(?:\s+(?:général|general|generale|geral))?"
    r"\s*:?\s*$"
)
_BEGINS_AS_SUM = r"(?i)^\s*(?:(?:grand|sub)[\s-]?)?(?:total|gesamt|summe|suma|итого|всего|toplam|合計|合计|합계)"
_DATED = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|^\d{1,2}:\d\d"
_LINES = 1000  # looked at
_MERGED, _ONCE = 0.2, 0.9  # of the rows, and of the users


def continued_lines(
    table: pl.DataFrame,
    fields: dict[str, str],
    parted: tuple[pl.Series | None, pl.Series | None],
    data: ConfigDict,
    said: Findings,
) -> tuple[pl.Series, list[str]] | None:
    """Of each row the number of the row whose order it is of, and the columns of orders; None where all have their own.

    Such a line states an item, and neither user, order nor time; above it, of the same file, lies one that states some
    of them. A column of orders is blank on all these lines. `parted`: the texts of malformed rows, and the file of each
    row. `data.continued_lines` decides, else it is sure where few rows state only some of the three, none is first, and
    none has a date or a type of event of its own.
    """
    if data.continued_lines not in HOW:
        raise UserError(f"data.continued_lines={data.continued_lines!r} is unknown; expected one of {', '.join(HOW)}")
    keys = [fields[field] for field in _KEYS if fields.get(field) in table.columns]
    if data.continued_lines == "keep" or "user" not in fields or fields.get("item") not in table.columns:
        return None
    if not _without(table.head(_LOOKED_AT), keys).any():
        return None
    stated, item = ~_without(table, keys), table[fields["item"]]
    lines = ~stated & ~blank(item)
    if is_text(item):
        named = item.cast(pl.String)
        last = pl.int_range(table.height, eager=True) == table.height - 1
        sums = named.str.contains(_SUMS) | (last & named.str.contains(_BEGINS_AS_SUM))
        lines &= ~sums.fill_null(False)
    malformed, files = parted
    begins = stated if malformed is None else stated | malformed.is_not_null()
    if files is not None:
        begins |= files.to_physical().diff().fill_null(1) != 0
    row = pl.int_range(table.height, eager=True)
    above = row.set(~begins, None).forward_fill()
    lines = (lines & stated.gather(above.fill_null(0)) & above.is_not_null()).fill_null(False)
    if not lines.any():
        return None
    if len(keys) == 1 and data.continued_lines == "auto" and not _once_each(table[keys[0]], lines):
        return None
    some = pl.DataFrame([blank(table[key]) for key in keys if key != fields["user"] or len(keys) < 3])
    partly = int((some.select(pl.any_horizontal(pl.all())).to_series() & stated).sum())
    count, names = int(lines.sum()), f"{', '.join(keys[:-1])} {'and' if len(keys) > 1 else ''} {keys[-1]}".strip()
    unsure = partly > _PARTLY * count or not stated[0] or len(keys) == 1 or _are_events(table, fields, lines)
    if data.continued_lines == "auto" and unsure:
        text = f"{count:,} rows do not state {names}: are they further lines of the order above them?"
        said.note("orders", text, "data.continued_lines=fill", warning=True)
        return None
    of_orders = [
        column.name
        for column in table
        if column.name in keys or (blank(column.filter(lines)).all() and not blank(column).all())
    ]
    text = (
        f"{count:,} rows state none of {names}, so they are further lines of the order above them, and have its cells"
    )
    said.note("orders", text, "data.continued_lines=keep")
    return row.zip_with(~lines, above), of_orders


def _once_each(user: pl.Series, lines: pl.Series) -> bool:
    """Whether many rows state no user, and nearly every user is stated once, as in cells that are merged."""
    stated = user.drop_nulls()
    return int(lines.sum()) >= _MERGED * len(lines) and stated.n_unique() >= _ONCE * len(stated)


def _are_events(table: pl.DataFrame, fields: dict[str, str], lines: pl.Series) -> bool:
    """Whether the lines state a type of event or a date of their own."""
    if (name := fields.get("event_type", "")) in table.columns and not blank(table[name].filter(lines)).all():
        return True
    for column in table:
        cells = column.filter(lines).drop_nulls().head(_LINES)
        if column.dtype in (pl.Date, pl.Datetime) and len(cells):
            return True
        if is_text(column) and 2 * int(cells.cast(pl.String).str.contains(_DATED).sum()) > len(cells) > 0:
            return True
    return False


def _without(table: pl.DataFrame, keys: list[str]) -> pl.Series:
    return pl.DataFrame([blank(table[key]) for key in keys]).select(pl.all_horizontal(pl.all())).to_series()
