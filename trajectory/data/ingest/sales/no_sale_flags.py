"""Columns that say row by row that a sale was none: yes or no (voided), a date, a sign, or pieces taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.missing import NOT
from trajectory.data.ingest.cells.parsing import texts, yes_or_no
from trajectory.data.ingest.columns.detect import listing, matching
from trajectory.data.ingest.findings import Findings, clip
from trajectory.data.ingest.sales.event_types import of_sales
from trajectory.data.ingest.sales.refunds import of_refunds, without_refunds
from trajectory.data.ingest.sales.repeated_lines import repeated_lines
from trajectory.data.ingest.sales.undone_dates import dated, filled_in, of_whole_orders, undone
from trajectory.schema import UserError

# fmt: off
_RETURNS = ("is_return", "is_refund", "return_flag", "refund_flag", "return", "refund")  # the row takes back
_VOID = ("cancelled", "canceled", "is_cancelled", "is_canceled", "void", "voided", "is_void", "is_voided", "returned",
         "is_returned", "refunded", "is_refunded", "test", "is_test", "test_order", "is_test_order", "test_mode",
         "training", "training_mode", "is_training", "is_deleted", "storniert", "storno", "annulé", "annullato",
         "anulado", "cancelado", "geannuleerd", "anulowane", "已取消", "已退款")
_TAKEN_BACK = ("returned_quantity", "returned_qty", "quantity_returned", "qty_returned", "return_quantity",
               "return_qty", "qty_refunded", "refunded_quantity", "refunded_qty", "quantity_refunded", "qty_canceled",
               "qty_cancelled", "canceled_quantity", "cancelled_quantity", "quantity_canceled", "quantity_cancelled")
_STOOD = ("authorized", "authorised", "is_authorized", "is_authorised", "authorized_flag", "authorised_flag",
          "approved", "is_approved", "approved_flag", "is_paid", "is_valid", "is_successful", "success", "is_success",
          "successful", "is_completed", "is_confirmed", "is_captured")  # a no: the sale did not stand
_SIGNS = ("sign", "_sign")
# fmt: on
OFF = "-"  # data.no_sale_flags=("-",): no column is one
_SHOWN = 5


def no_sales(
    table: pl.DataFrame, columns: dict[str, pl.Series], used: Iterable[str], data: ConfigDict, said: Findings
) -> tuple[dict[str, pl.Series], list[str]]:
    """Columns to add to or change in the canonical ones, and the table's that told it.

    `void`: Boolean, sales that were none; `back`: Boolean, sales that take back; `quantity` and `value` without the
    pieces that were taken back, `value` without the money that was. `columns` are the canonical ones that were found,
    `used` the table's that mean something else. UserError if one asked for is not there.
    """
    asked = [str(name) for name in data.no_sale_flags]
    by_hand = [name for name in asked if name != OFF and not name.startswith(NOT)]
    if unknown := [name for name in by_hand if name not in table.columns]:
        raise UserError(f"data.no_sale_flags names {unknown[0]!r}; the log has {listing(table.columns)}")
    sale = of_sales(columns, data)
    if OFF in asked or sale is None or not sale.any():
        return {}, []
    off = {name.removeprefix(NOT) for name in asked if name.startswith(NOT)} | {*used}
    free = [name for name in table.columns if name not in off]
    refunds = of_refunds(table, free)
    refunds.sort(key=lambda name: name not in by_hand)
    free, flags = ([name for name in names if name not in refunds] for names in (free, by_hand))
    found, told = {name: columns[name] for name in ("void",) if name in columns}, list[str]()
    for field, what, names in (
        ("back", "are returns", _RETURNS),
        ("void", "are no sales, kept and not read", (*_VOID, *flags)),
    ):
        for name in matching(free, names):
            yes = _yes(table[name], name in by_hand, said)
            if yes is not None and (rows := int((yes & sale).sum())):
                found[field] = found.get(field, yes) | yes
                told.append(name)
                text = f"{rows:,} rows with {name} {what}"
                said.note("no sales", text, f"data.no_sale_flags={NOT}{name}", warning=True)
    for name, no in _not_stood(table, free):
        if rows := int((no & sale).sum()):
            found["void"] = found.get("void", no) | no
            told.append(name)
            text = f"{rows:,} rows with a no in {name} are no sales, kept and not read"
            said.note("no sales", text, f"data.no_sale_flags={NOT}{name}", warning=True)
    if repeated := repeated_lines(table, columns, off, sale, said):
        found["void"] = found.get("void", sale & False) | repeated[0]
        told.append(repeated[1])
    _add_undone(found, told, table, columns, [name for name in free if name not in told], data, said)
    for name in matching(free, _SIGNS):
        sign = texts(table[name])
        minus = (sign == "-1").fill_null(False)
        if minus.any() and sign.drop_nulls().is_in(["1", "-1"]).all():
            found["back"] = found.get("back", minus) | minus
            told.append(name)
            text = f"{name} is -1 in {int(minus.sum()):,} rows, which take back an earlier one"
            sales = f"{int((minus & sale).sum()):,} sales of them are returns, other events are counted in both rows"
            said.note("no sales", f"{text}: {sales}", f"data.no_sale_flags={NOT}{name}", warning=True)
    back, pieces = _taken_back(table, matching(free, _TAKEN_BACK), data, said)
    if back is not None and "quantity" in columns:
        found |= _without(columns, back, sale, found.get("void"), pieces, said)
        told += pieces
    elif back is not None:
        text = f"{', '.join(pieces)} not read, as no column states the pieces of a sale: {int((back > 0).sum()):,} rows"
        said.note("no sales", f"{text} were taken back in part or whole", "data.columns.quantity", warning=True)
    if refunds and not pieces and "value" in columns:
        own = of_sales(columns, data, back=False)
        nothing = sale & False
        live = nothing if own is None else own & ~columns.get("failed", nothing) & ~found.get("void", nothing)
        less = without_refunds(table[refunds[0]], live, columns, refunds[0] in by_hand, data, said)
        if less:
            found |= less | {"void": less["void"] | found.get("void", nothing)}
            told.append(refunds[0])
    return found, told


def _not_stood(table: pl.DataFrame, free: list[str]) -> Iterator[tuple[str, pl.Series]]:
    """Columns of yes or no whose no means that the sale did not stand, where some did, and the rows of a no."""
    for name in matching(free, _STOOD):
        yes = yes_or_no(table[name])
        if yes is not None and yes.any():
            yield name, ~yes & texts(table[name]).is_not_null()


def _add_undone(
    flags: dict[str, pl.Series],
    told: list[str],
    table: pl.DataFrame,
    columns: dict[str, pl.Series],
    free: list[str],
    data: ConfigDict,
    said: Findings,
) -> None:
    """Adds sales with a date of a cancellation or return to `flags`, and the columns that tell it to `told`."""
    sale, both = (of_sales(columns, data, back) for back in (False, True))
    if sale is None or both is None or not sale.any():
        return
    known = columns.get("failed", sale & False) | flags.get("void", sale & False)
    back = bool((both & ~sale).any() or (columns.get("quantity", pl.Series([0])) < 0).any())
    for name, rows in undone(table, free, sale, known, back, said).items():
        whole = of_whole_orders(rows, columns["basket"]) if "basket" in columns else None
        yes = rows if whole is None else whole
        flags["void"] = flags.get("void", yes) | yes
        told.append(name)
        lines = "" if whole is None else f" ({int((yes & sale & ~rows).sum()):,} are further lines of their orders)"
        text = f"{int((yes & sale).sum()):,} rows with a date in {name}{lines} are no sales, kept and not read"
        said.note("no sales", text, f"data.no_sale_flags={NOT}{name}", warning=True)


def _yes(column: pl.Series, by_hand: bool, said: Findings) -> pl.Series | None:
    """Where the cell is a yes or a date; None, and a warning, where cells are neither, nor no or blank.

    In a column that is asked for by hand, and is none of yes and no, each cell that is filled is a yes.
    """
    yes = yes_or_no(column)
    if yes is None:
        yes = filled_in(column) if by_hand else dated(column)
    if yes is None:
        shown = ", ".join(
            repr(clip(word)) for word in texts(column).drop_nulls().unique(maintain_order=True).head(_SHOWN)
        )
        text = (
            f"{column.name} is not read, its cells are not all yes or no ({shown}): does it say that a sale was none?"
        )
        setting = f"data.columns.status={column.name} with data.status_map={{WORD: 'sale' or 'no_sale'}}"
        said.note("no sales", text, setting, warning=True)
    return yes


def _taken_back(
    table: pl.DataFrame, names: list[str], data: ConfigDict, said: Findings
) -> tuple[pl.Series | None, list[str]]:
    """The pieces that were taken back of each row, where there are some, and the columns that state them."""
    pieces = {name: amounts(table[name], data.decimal, said).fill_null(0.0).abs() for name in names}
    pieces = {name: column for name, column in pieces.items() if (column > 0).any()}
    if not pieces:
        return None, []
    return pl.DataFrame(pieces).sum_horizontal(), [*pieces]


def _without(
    columns: dict[str, pl.Series],
    back: pl.Series,
    sale: pl.Series,
    void: pl.Series | None,
    names: list[str],
    said: Findings,
) -> dict[str, pl.Series]:
    """Quantity and value without the pieces taken back; a sale of which nothing is left is void, as it was read."""
    quantity = columns["quantity"]
    partly_returned = (sale & (back > 0) & (quantity > 0)).fill_null(False)
    nothing = partly_returned & (back >= quantity).fill_null(False)
    share = pl.select(pl.when(partly_returned & ~nothing).then(1 - back / quantity).otherwise(1.0)).to_series()
    text = f"{', '.join(names)}: {int(nothing.sum()):,} sales were taken back whole, and are none; "
    rest = f"{int((partly_returned & ~nothing).sum()):,} in part, and count with the pieces that are left"
    said.note("no sales", text + rest, "data.no_sale_flags=" + ",".join(f"{NOT}{name}" for name in names), warning=True)
    scaled = {name: columns[name] * share for name in ("quantity", "value") if name in columns}
    return scaled | {"void": nothing if void is None else void | nothing}
