"""Which encoding the bytes of a text are in, by evidence; asked for where the evidence says nothing."""

from __future__ import annotations

import codecs
import re

from trajectory.data.ingest.columns.detect import ITEM_NAMES, LOG_NAMES
from trajectory.schema import UserError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMED = ("cp1252", "gb18030", "cp1250", "cp1251", "cp1254", "cp949", "cp932", "cp950", "euc_jp", "koi8_r")
# What is written by these names holds the characters of wider ones too (as in the Encoding Standard of WHATWG).
_WIDER = {
    "utf-8-sig": "utf-8",
    "iso8859-1": "cp1252",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "cp950",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}
_HIGH = re.compile(rb"[\x80-\xff]+")
# A letter with an accent or a sign alone, or two of them in a word. 0x81 to 0x90 are no characters of Western text.
_WESTERN = re.compile(
    rb"(?<![\x80-\xff])(?:[\x80\x91-\xff]|(?<=[A-Za-z])[\xa0-\xff]{2}|[\xa0-\xff]{2}(?=[A-Za-z]))(?![\x80-\xff])"
)


def stated_encoding(name: str) -> str:
    """The encoding that `data.encoding` names, as Python calls it. UserError if there is none of that name."""
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)  # one of text, not such as base64
    except LookupError:
        raise UserError(
            f"data.encoding={name!r} is unknown; expected one such as utf-8, cp1252, gb18030, utf-16, cp1251, cp932"
        ) from None
    return _WIDER.get(codec.name, codec.name)


def by_first_bytes(head: bytes) -> str:
    """The encoding that a byte order mark or null bytes give away; "" = one in which ASCII is ASCII."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    halves = head[:2000:2], head[1:2000:2]
    null, other = sorted(halves, key=lambda half: half.count(0), reverse=True)
    if len(head) >= 16 and null.count(0) > 0.4 * len(null) and min(other) >= 9:  # 9: a tab, the first of a text
        return "utf-16-be" if null is halves[0] else "utf-16-le"
    return ""


def by_evidence(data: bytes, name: str, line: int) -> str:
    """The encoding of bytes that are not all UTF-8: the one in which names of columns that are known stand in the first
    line, gb18030, cp1252, or still UTF-8. UserError where none is likely.

    Chinese comes in pairs of high bytes, most of them of the common characters; letters with accents stand alone among
    plain ones. `line`: of the first byte in question, to be named.
    """
    runs = [match[0] for match in _HIGH.finditer(data)]
    high = sum(map(len, runs))
    valid = len(data.decode(errors="ignore").encode()) - (len(data) - high)
    if valid >= 0.8 * high:
        return "utf-8"  # damaged here and there
    if named := _by_names(data):
        return named
    leads = [byte for run in runs if len(run) % 2 == 0 for byte in run[::2]]
    common, late = (sum(low <= byte <= 0xD7 for byte in leads) for low in (0xB0, 0xC9))
    # Korean has the same pairs, but only the earlier ones.
    chinese = (
        2 * len(leads) >= 0.8 * high and common >= 0.6 * len(leads) and (late > 0.1 * len(leads) or len(leads) < 10)
    )
    if _decodes(data, "gb18030") and chinese and not _mostly_western(data, high):
        return "gb18030"
    if _decodes(data, "cp1252") and _mostly_western(data, high):
        return "cp1252"
    byte = runs[0][0]
    raise UserError(
        f"{name} is not UTF-8 (line {line}, byte 0x{byte:02x}), and its bytes do not tell which encoding it is in; set "
        "data.encoding, for example cp1252 (Western), cp1250 (Central Europe), cp1251 (Cyrillic), cp1254 (Turkish), "
        "gb18030 or cp950 (Chinese), cp932 (Japanese), cp949 (Korean)"
    )


def _by_names(data: bytes) -> str:
    """The encoding in which most cells of the first line are known names that ASCII cannot write; "" if none is."""
    names = {name.casefold() for fields in (LOG_NAMES, ITEM_NAMES) for known in fields.values() for name in known}
    line, best = data.partition(b"\n")[0], ("", 0)
    for encoding in _NAMED:
        if _decodes(line, encoding):
            cells = re.split(r'\s*[,;|\t"^]+\s*', line.decode(encoding).casefold())
            known = sum(cell in names and not cell.isascii() for cell in cells)
            best = max(best, (encoding, known), key=lambda pair: pair[1])
    return best[0]


def _mostly_western(data: bytes, high: int) -> bool:
    near = sum(len(match[0]) for match in _WESTERN.finditer(data))
    return near >= 0.6 * high


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
