"""Amounts as shops write them, "$1,234.50", "2,50 €", "(5.00)", as numbers; what cannot be read is unknown."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.distinct import apply_to_distinct
from trajectory.data.ingest.cells.parsing import texts, western_digits
from trajectory.data.ingest.findings import CURRENCIES, CURRENCY, Findings, clip
from trajectory.schema import UserError

UNKNOWN = "unknown there, the rows stay"
DECIMALS = ("auto", ".", ",")
_FIRST = 1000  # cells that are looked at before all are
# Signs -> the currencies that they may be of; others are of the currency that they name.
_SIGNS = {
    "$": {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "ARS", "CLP", "COP", "TWD"},
    "US$": {"USD"}, "€": {"EUR"}, "£": {"GBP"}, "¥": {"JPY", "CNY"}, "円": {"JPY"}, "元": {"CNY"}, "圆": {"CNY"},
    "圓": {"TWD", "HKD"}, "₩": {"KRW"}, "원": {"KRW"}, "₹": {"INR"}, "Rs": {"INR", "PKR", "LKR"}, "R$": {"BRL"},
    "R": {"ZAR"}, "RM": {"MYR"}, "Rp": {"IDR"}, "kr": {"SEK", "NOK", "DKK"}, "zł": {"PLN"}, "zl": {"PLN"},
    "Kč": {"CZK"}, "Ft": {"HUF"}, "lei": {"RON"}, "лв": {"BGN"}, "₽": {"RUB"}, "руб": {"RUB"}, "р": {"RUB"},
    "TL": {"TRY"}, "₺": {"TRY"},
}  # fmt: skip
_LARGEST = 3.4e38  # what is stored has 32 bits
# Of a currency.
_WORD = r"(?:[A-Z]{1,3}?\p{Sc}|\p{Sc}|[A-Z]{3}|TL|RM|Rp|kr|zł|zl|Kč|Ft|lei|лв|руб|р|Rs|R|元|円|圆|圓|원)\.?"
_CREDIT = "CR|Cr|cr"  # of accounts, behind the number
_MINUS = "[−–△▲]"  # as accounts in Japan and typesetting programs write it
_AS_TEXT = "^['’]"  # which spreadsheets put before what is to stay a text
_AMOUNT = (
    rf"^(?<open>\()?\s*(?<sign>[+-]?)\s*(?:{_WORD})?\s*(?<inner>[+-]?)\s*(?<digits>\d[\d.,'’\s]*|[.,]\d+)"
    rf"\s*(?:{_WORD})?\s*(?<after>-|{_CREDIT})?\s*(?<close>\))?$"
)
# With this decimal mark, and the other one between groups of three digits (or of two, as in India).
_STYLES = {
    ",": r"^(?:\d*|[1-9]\d{0,2}(?:\.\d{2,3})*\.\d{3})(?:,\d*)?$",
    ".": r"^(?:\d*|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3})(?:\.\d*)?$",
}


def proven_mark(columns: list[pl.Series]) -> str:
    """The decimal mark that the first cells of some columns prove, "" where none or both are proven."""
    marks = set()
    for column in columns:
        if column.dtype == pl.String:
            digits = column.head(_FIRST).str.extract(_AMOUNT, 4)
            fits = {mark: digits.str.contains(style) for mark, style in _STYLES.items()}
            marked = digits.str.contains("[.,]")
            marks |= {mark for mark, other in ((",", "."), (".", ",")) if (marked & fits[mark] & ~fits[other]).any()}
    return marks.pop() if len(marks) == 1 else ""


def amounts(column: pl.Series, decimal: str, said: Findings, likely: str = "", otherwise: str = UNKNOWN) -> pl.Series:
    """Float64, null where blank or unreadable; how many could not be read is kept in `said`, with what is done instead.

    `decimal` is one of `DECIMALS`; "auto" is decided by the whole column, and by the mark `likely`, which other columns
    prove, where each of its cells could be either.
    """
    if decimal not in DECIMALS:
        raise UserError(f"data.decimal={decimal!r} is unknown; expected one of {', '.join(DECIMALS)}")
    if isinstance(column.dtype, pl.Categorical):
        return apply_to_distinct(lambda texts, said: amounts(texts, decimal, said, likely, otherwise), column, said)
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        number, given = column.cast(pl.Float64), column.is_not_null()
        if number.is_nan().any():
            number, given = number.fill_nan(None), given & number.is_not_nan()
    else:
        text = texts(column)
        number, given = text.cast(pl.Float64, strict=False), text.is_not_null()
        if decimal == "," or (given & number.is_null()).any() or (decimal == "auto" and _thousands(text)):
            number = _written(text, decimal, said, likely)
    if ((number > _LARGEST) | (number < -_LARGEST)).any():
        number = number.set(number.abs() > _LARGEST, None)
    said.unreadable(column.name, texts(column.filter(given & number.is_null())), otherwise)
    return number


def _thousands(text: pl.Series) -> bool:
    """Whether every point stands before three digits and after one to three: 1.234 may be a thousand and more."""
    for sample in (text.head(_FIRST), text):
        marked = sample.filter(sample.str.contains(".", literal=True))
        if marked.is_empty() and sample is not text:
            continue
        if marked.is_empty() or not marked.str.contains(r"^-?[1-9]\d{0,2}\.\d{3}$").all():
            return False
    return True


def _written(text: pl.Series, decimal: str, said: Findings, likely: str) -> pl.Series:
    """Amounts from text, worked out once for each distinct one."""
    distinct = text.drop_nulls().value_counts(name="rows").rename({text.name: "text"}).sort("text")
    plain = pl.lit(western_digits(distinct["text"])).str.replace(_AS_TEXT, "")
    plain = plain.str.strip_chars().str.replace_all(_MINUS, "-")
    parts = distinct.with_columns(plain.str.extract_groups(_AMOUNT).alias("part")).unnest("part")
    parts = parts.with_columns(pl.col("digits").str.replace_all(r"['’\s]", ""))
    parts = parts.filter(pl.col("open").is_null() == pl.col("close").is_null())
    credits = parts.filter(pl.col("after").str.contains(f"^(?:{_CREDIT})$"))
    if credits.height:
        shown = f"{int(credits['rows'].sum()):,} in {text.name} are of credit, such as {clip(credits['text'][0])!r}"
        said.note("amounts", f"{shown}: taken as below 0", f"data.missing={credits['text'][0]}", warning=True)
    fits = {mark: pl.col("digits").str.contains(style) for mark, style in _STYLES.items()}
    marked = pl.col("digits").str.contains("[.,]")
    rows = {
        mark: int(parts.filter(fits[mark] & ~fits[other] & marked)["rows"].sum())
        for mark, other in ((",", "."), (".", ","))
    }
    both = parts.filter(fits[","] & fits["."] & marked)  # 1,234 or 1.234: which is it?
    signs = parts["text"].str.extract(rf"({_WORD})").drop_nulls().unique().sort()
    _say_currency(text.name, signs.to_list(), said)
    small = parts.filter(~marked & pl.col("digits").str.contains(r"^[1-9]\d{0,2}$"))
    padded = not small.is_empty() and bool(both["digits"].str.ends_with("0").any())
    mark, unclear = _decide(text.name, rows, both, decimal, said, likely, padded)
    read = {
        mark: pl.col("digits").str.replace_all(other, "", literal=True).str.replace(mark, ".", literal=True)
        for mark, other in ((",", "."), (".", ","))
    }
    other = "," if mark == "." else "."
    digits = pl.when(fits[mark]).then(read[mark]).when(fits[other] & (decimal == "auto")).then(read[other])
    minus = [pl.col(part) == "-" for part in ("sign", "inner")]
    negative = pl.any_horizontal(pl.col("open") == "(", *minus, pl.col("after") != "")
    number = digits.otherwise(None).cast(pl.Float64, strict=False)
    if unclear:
        number = pl.when(~(fits[","] & fits["."] & marked)).then(number)
    values = parts.select("text", number=pl.when(negative.fill_null(False)).then(-number).otherwise(number))
    joined = text.to_frame("text").join(values, on="text", how="left", maintain_order="left")["number"]
    exact = text.cast(pl.Float64, strict=False)  # 1e-3, which is no way to write money
    return joined.zip_with(joined.is_not_null() | ~text.str.contains("[eE]").fill_null(False), exact).alias(text.name)


def _say_currency(name: str, signs: list[str], said: Findings) -> None:
    """Says which currency amounts are in, by what is written beside them, or warns of several."""
    if not signs:
        return
    shared = set.intersection(*(_SIGNS.get(sign.rstrip("."), {sign.rstrip(".")}) for sign in signs))
    if shared:
        said.note(CURRENCY, f"amounts are in {min(shared) if len(shared) == 1 else signs[0]}, by {name}")
        return
    shown = ", ".join(signs[:5])
    said.note(CURRENCIES, f"{name} is in several currencies ({shown}), which are not converted", warning=True)


def _decide(
    name: str, rows: dict[str, int], both: pl.DataFrame, decimal: str, said: Findings, likely: str, padded: bool
) -> tuple[str, bool]:
    """The decimal mark of a column, and whether a cell that fits both ways (1,234) stays unknown. `padded`: some end in
    0 behind the mark, and others, below a thousand, have none: no way to write fractions.
    """
    if decimal != "auto":
        return decimal, False
    example = repr(both["text"][0]) if both.height else ""
    if rows[","] and rows["."]:
        text = f"{name} has a decimal comma in {rows[',']:,} cells and a decimal point in {rows['.']:,}"
        said.note("amounts", text + (f"; {example} could be either and is unknown" if example else ""), _ASK, True)
        return (",", bool(example)) if rows[","] > rows["."] else (".", bool(example))
    if rows[","]:
        said.note("amounts", f"{name} has a decimal comma", _ASK)
        return ",", False
    if example and not rows["."] and likely:
        between = f"the {_NAMED['.' if likely == ',' else ',']} between thousands"
        meaning = f"a decimal {_NAMED[likely]}" if likely in example else between
        said.note("amounts", f"the mark of {example} in {name} is taken for {meaning}, as elsewhere", _ASK)
        return likely, False
    if "." in example and not rows["."] and padded:
        meaning = "the point between thousands, as numbers below a thousand have none"
        said.note("amounts", f"the mark of {example} in {name} is taken for {meaning}", _ASK, True)
        return ",", False
    if example and not rows["."]:
        meaning = "the comma between thousands" if "," in example else "the decimal point"
        said.note("amounts", f"the mark of {example} in {name} is taken for {meaning}", _ASK, True)
    return ".", False


_ASK = "data.decimal=. or data.decimal=,"
_NAMED = {",": "comma", ".": "point"}
