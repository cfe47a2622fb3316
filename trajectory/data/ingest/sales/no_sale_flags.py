"""Columns that say row by row that a sale was none: yes or no (voided), a date, a sign, or pieces taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.cells.amounts import amounts
from trajectory.data.ingest.cells.parsing import mostly_numeric, texts, yes_or_no
from trajectory.data.ingest.columns.amount_words import PIECES
from trajectory.data.ingest.columns.detect import listing, matching_within
from trajectory.data.ingest.columns.name_words import has_word
from trajectory.data.ingest.findings import Findings, quoted
from trajectory.data.ingest.sales.event_types import of_sales
from trajectory.data.ingest.sales.refunds import MONEY, in_part, of_refunds, without_refunds
from trajectory.data.ingest.sales.repeated_lines import repeated_lines
from trajectory.data.ingest.sales.undone_dates import (
    asking_flag,
    dated,
    filled_in,
    of_whole_orders,
    tells_of_return,
    undoes,
    undoing_flag,
    undone,
)
from trajectory.data.ingest.word_lists import NOT, added_and_taken_off
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
_LEFT = ("current_quantity", "current_qty", "net_quantity", "net_qty", "quantity_left", "remaining_quantity",
         "quantity_after_returns")  # pieces of the sale that were not taken back
_STOOD = ("authorized", "authorised", "is_authorized", "is_authorised", "authorized_flag", "authorised_flag",
          "approved", "is_approved", "approved_flag", "is_paid", "is_valid", "is_successful", "success", "is_success",
          "successful", "is_completed", "is_confirmed", "is_captured")  # a no: the sale did not stand
_SIGNS = ("sign", "_sign")
# May count the pieces that came back, or something else; and what is of something else for sure.
_COUNTS = ("number", "count", "nombre", "número", "numero", "liczba", "počet", "ks", "кол", "шт", "число", "sayısı",
           "jumlah", "lượng", "数", "数目", "개수", "수")
_NO_PIECES = ("rate", "percent", "pct", "id", "date", "code", "reason", "days", "level", "type", "status", "policy")
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
    added, taken_off = added_and_taken_off(data.no_sale_flags)
    by_hand = [name for name in added if name != OFF]
    if unknown := [name for name in by_hand if name not in table.columns]:
        raise UserError(f"data.no_sale_flags names {unknown[0]!r}; the log has {listing(table.columns)}")
    sale = of_sales(columns, data)
    if OFF in added or sale is None or not sale.any():
        return {}, []
    ignored = taken_off | {*used}
    free = [name for name in table.columns if name not in ignored]
    refunds = sorted(of_refunds(table, free), key=lambda name: name not in by_hand)
    free = [name for name in free if name not in refunds]
    marks = _Marks(table, columns, free, by_hand, sale, data, said)
    marks.flags([name for name in by_hand if name not in refunds])
    marks.asked()
    marks.not_stood()
    if repeated := repeated_lines(table, columns, ignored, sale, said):
        marks.add("void", *repeated)
    marks.undone(refunds)
    marks.signs()
    pieces = marks.taken_back()
    if refunds and not pieces and "value" in columns:
        marks.refunded(refunds[0])
    if not marks.told:
        _doubt_lists(table, free, said)
    return marks.changed, marks.told


@dataclass
class _Marks:
    """What the columns of a log say of its sales so far: canonical columns that are `changed`, and which `told` it."""

    table: pl.DataFrame
    columns: dict[str, pl.Series]
    free: list[str]  # names of columns that mean nothing else
    by_hand: list[str]
    sale: pl.Series
    data: ConfigDict
    said: Findings
    changed: dict[str, pl.Series] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    of_pieces: list[str] = field(init=False)  # names of columns of pieces that were taken back

    def __post_init__(self) -> None:
        asked = self.data.columns.returned
        by_name = matching_within(self.free, _TAKEN_BACK) or self._pieces_back()
        self.of_pieces = by_name if asked == "" else [] if asked == OFF else [asked]
        if "void" in self.columns:
            self.changed["void"] = self.columns["void"]

    def add(self, mark: str, rows: pl.Series, name: str, text: str = "") -> None:
        """Marks rows as `void` or `back`, as column `name` tells, which is said in `text`."""
        self.changed[mark] = self.changed.get(mark, rows) | rows
        self.told.append(name)
        if text:
            self.said.note("no sales", text, f"data.no_sale_flags={NOT}{name}", warning=True)

    def flags(self, further: list[str]) -> None:
        """Columns of yes or no, or of dates, whose yes means no sale; `further` ones are asked for by hand."""
        longer = [name for name in self.free if undoing_flag(name) and not has_word(name, (*MONEY, *PIECES))]
        longer = [name for name in longer if yes_or_no(self.table[name]) is not None]
        for mark, what, names in (
            ("back", "are returns", _RETURNS),
            ("void", "are no sales, kept and not read", (*_VOID, *longer, *further)),
        ):
            for name in [name for name in matching_within(self.free, names) if name not in self.of_pieces]:
                yes = _yes(self.table[name], name in self.by_hand, self.said)
                if yes is not None and (rows := int((yes & self.sale).sum())):
                    self.add(mark, yes, name, f"{rows:,} rows with {name} {what}{self._if_pieces(name, yes)}")

    def _if_pieces(self, name: str, yes: pl.Series) -> str:
        """What to do if the 0 and 1 of a column count pieces, of which some of the rows have several."""
        if "quantity" not in self.columns or not (tells_of_return(name) and mostly_numeric(self.table[name])):
            return ""
        several = int((yes & self.sale & (self.columns["quantity"] > 1)).sum())
        return (
            f"; {several:,} are of several pieces: if it counts those, data.columns.returned={name}" if several else ""
        )

    def asked(self) -> None:
        """Asks about columns of yes or no that may say that a sale was taken back."""
        left = [
            name for name in self.free if name not in self.told and not matching_within([name], (*_RETURNS, *_VOID))
        ]
        for name in left:
            yes = yes_or_no(self.table[name]) if asking_flag(name) else None
            rows = int((yes & self.sale).sum()) if yes is not None and not yes.all() else 0
            if rows and not has_word(name, (*MONEY, *PIECES)):
                text = f"{name} is a yes in {rows:,} rows of sales, and is not read: were these taken back?"
                self.said.note("no sales", text, f"data.no_sale_flags={name} if they were", warning=True)

    def not_stood(self) -> None:
        """Columns of yes or no whose no means that the sale did not stand, where some did."""
        for name in matching_within(self.free, _STOOD):
            yes = yes_or_no(self.table[name])
            if yes is None or not yes.any():
                continue
            no = ~yes & texts(self.table[name]).is_not_null()
            if rows := int((no & self.sale).sum()):
                self.add("void", no, name, f"{rows:,} rows with a no in {name} are no sales, kept and not read")

    def undone(self, refunds: list[str]) -> None:
        """Columns of the date of a cancellation or return, which may be of a part of the money (`refunds`)."""
        free = [name for name in self.free if name not in {*self.told, *self.of_pieces}]
        sale, both = (of_sales(self.columns, self.data, back) for back in (False, True))
        if sale is None or both is None or not sale.any():
            return
        known = self.columns.get("failed", sale & False) | self.changed.get("void", sale & False)
        for below in [name for name in ("quantity", "value") if name in self.columns]:
            known |= (self.columns[below] < 0).fill_null(False)
        for name in self.of_pieces:
            known |= amounts(self.table[name], self.data.decimal, Findings()).fill_null(0.0) != 0
        part = sale & False
        if refunds and "value" in self.columns:
            part = in_part(self.table[refunds[0]], self.columns["value"], self.data)
        back = bool((both & ~sale).any() or (self.columns.get("quantity", pl.Series([0])) < 0).any())
        for name, dated_rows in undone(self.table, free, sale, known | part, back, self.said).items():
            dated_rows = dated_rows & ~part
            whole = of_whole_orders(dated_rows, self.columns["basket"]) if "basket" in self.columns else None
            yes = dated_rows if whole is None else whole
            further = int((yes & sale & ~dated_rows).sum())
            lines = "" if whole is None else f" ({further:,} are further lines of their orders)"
            text = f"{int((yes & sale).sum()):,} rows with a date in {name}{lines} are no sales, kept and not read"
            self.add("void", yes, name, text)

    def signs(self) -> None:
        """Columns of 1 and -1, as databases have them that take a row back by another one."""
        for name in matching_within(self.free, _SIGNS):
            sign = texts(self.table[name])
            minus = (sign == "-1").fill_null(False)
            if minus.any() and sign.drop_nulls().is_in(["1", "-1"]).all():
                text = f"{name} is -1 in {int(minus.sum()):,} rows, which take back an earlier one"
                sales = f"{int((minus & self.sale).sum()):,} sales of them are returns"
                self.add("back", minus, name, f"{text}: {sales}, other events are counted in both rows")

    def taken_back(self) -> list[str]:
        """Takes pieces that were taken back off quantity and value. The columns that state them."""
        amount = {
            name: amounts(self.table[name], self.data.decimal, self.said).fill_null(0.0).abs()
            for name in self.of_pieces
        }
        amount = {name: column for name, column in amount.items() if (column > 0).any()}
        if not amount and "quantity" in self.columns:
            amount = self._not_left()
        if not amount:
            return []
        back, names = pl.DataFrame(amount).sum_horizontal(), ", ".join(amount)
        if "quantity" in self.columns:
            self._take_off(back, [*amount])
        else:
            rows = int((back > 0).sum())
            text = f"{names} not read, as no column states the pieces of a sale: {rows:,} rows"
            text = f"{text} were taken back in part or whole"
            self.said.note("no sales", text, "data.columns.quantity", warning=True)
        return [*amount]

    def _pieces_back(self) -> list[str]:
        """Columns called by words for pieces and for what undoes a sale, "product_quantity_refunded", or by the latter
        alone, "Возвращено", where they count up to the pieces that were sold.
        """
        named = [name for name in self.free if undoes(name) and not has_word(name, (*MONEY, *_NO_PIECES))]
        named = [name for name in named if mostly_numeric(self.table[name]) and name not in self.by_hand]
        return [name for name in named if has_word(name, PIECES) or self._counts_pieces(name)]

    def _counts_pieces(self, name: str) -> bool:
        """Whether a column holds whole numbers, no yes or no unless called a count, and never above the pieces sold."""
        if "quantity" not in self.columns:
            return False
        number = amounts(self.table[name], self.data.decimal, Findings()).fill_null(0.0)
        sold, most = self.columns["quantity"].fill_null(0.0).filter(self.sale), 1 if has_word(name, _COUNTS) else 2
        number = number.filter(self.sale)
        return bool((number == number.round()).all() and (number >= most).any() and (number <= sold.abs()).all())

    def _not_left(self) -> dict[str, pl.Series]:
        """Pieces that are no more there, where a column states those that are left of each sale."""
        for name in matching_within(self.free, _LEFT):
            left = amounts(self.table[name], self.data.decimal, self.said)
            gone = (self.columns["quantity"] - left).fill_null(0.0)
            if (gone > 0).any() and (gone >= 0).all():
                return {name: gone}
        return {}

    def _take_off(self, back: pl.Series, names: list[str]) -> None:
        """Quantity and value without the pieces taken back; a sale of which nothing is left is void, as it was read."""
        quantity = self.columns["quantity"]
        returned = (self.sale & (back > 0) & (quantity > 0)).fill_null(False)
        self.told += names
        if not returned.any():
            return
        nothing = returned & (back >= quantity).fill_null(False)
        partly = returned & ~nothing
        share = pl.select(pl.when(partly).then(1 - back / quantity).otherwise(1.0)).to_series()
        text = f"{', '.join(names)}: {int(nothing.sum()):,} sales were taken back whole, and are none; "
        rest = f"{int(partly.sum()):,} in part, and count with the pieces that are left"
        setting = "data.no_sale_flags=" + ",".join(f"{NOT}{name}" for name in names)
        setting = f"data.columns.returned={OFF}" if self.data.columns.returned else setting
        self.said.note("no sales", text + rest, setting, warning=True)
        self.changed |= {name: self.columns[name] * share for name in ("quantity", "value") if name in self.columns}
        self.changed["void"] = self.changed.get("void", nothing) | nothing

    def refunded(self, name: str) -> None:
        """Takes the money that was given back, in column `name`, off the value."""
        nothing = self.sale & False
        sold = of_sales(self.columns, self.data, back=False)
        void = self.changed.get("void", nothing)
        live = nothing if sold is None else sold & ~self.columns.get("failed", nothing) & ~void
        by_hand = name in self.by_hand
        if left := without_refunds(self.table[name], live, self.columns, by_hand, self.data, self.said):
            self.changed |= left | {"void": left["void"] | void}
            self.told.append(name)


def _doubt_lists(table: pl.DataFrame, free: list[str], said: Findings) -> None:
    """Warns of lists of refunds or returns beside the sales, where nothing else tells of them."""
    for name in free:
        rows = int((table[name].list.len() > 0).sum()) if isinstance(table.schema[name], pl.List) else 0
        if rows and tells_of_return(name):
            text = f"{name} holds lists in {rows:,} rows, and is not read: were pieces or money of these given back?"
            setting = "write the pieces given back as a column returned_quantity, or the money as refunded_amount"
            said.note("no sales", text, setting, warning=True)


def _yes(column: pl.Series, by_hand: bool, said: Findings) -> pl.Series | None:
    """Where the cell is a yes or a date; None, and a warning, where cells are neither, nor no or blank.

    In a column that is asked for by hand, and is none of yes and no, each cell that is filled is a yes.
    """
    yes = yes_or_no(column)
    if yes is None:
        yes = filled_in(column) if by_hand else dated(column)
    if yes is None:
        shown = quoted(texts(column).drop_nulls().unique(maintain_order=True).head(_SHOWN))
        text = (
            f"{column.name} is not read, its cells are not all yes or no ({shown}): does it say that a sale was none?"
        )
        setting = f"data.columns.status={column.name} with data.status_map={{WORD: 'sale' or 'no_sale'}}"
        said.note("no sales", text, setting, warning=True)
    return yes
