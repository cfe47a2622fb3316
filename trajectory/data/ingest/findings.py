"""What was understood while a log was read, kept as data and told in lines: nothing is guessed or dropped unsaid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

# Units of time, as `times` finds them, for people.
UNIT_NAMES = {
    "excel": "days that a spreadsheet counts",
    "days": "days since 1970",
    **{"s": "seconds since 1970", "ms": "milliseconds since 1970", "us": "microseconds since 1970"},
    **{"ns": "nanoseconds since 1970", "text": "dates", "datetime": "dates"},
}
SHOWN = 200  # characters of a source's text that are shown

# Topics of what is said of amounts in one currency, and in several.
CURRENCY, CURRENCIES = "currency", "currencies"


@dataclass(frozen=True)
class Finding:
    """One thing that was found: `topic` groups, `setting` is what changes it ("" = nothing), `warning` asks to look."""

    topic: str
    text: str
    setting: str = ""
    warning: bool = False


@dataclass
class Findings:
    """Collected while reading. `missing`: words read as missing, and `unread`: cells that could not be read, a row each
    as in a table; `decided`: settings left to the log, by what it told; `notes`: all else.
    """

    notes: list[Finding] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    unread: list[dict[str, Any]] = field(default_factory=list)
    decided: dict[str, str] = field(default_factory=dict)

    def note(self, topic: str, text: str, setting: str = "", warning: bool = False) -> None:
        """Keeps a finding, once."""
        finding = Finding(topic, text, setting, warning)
        if finding not in self.notes:
            self.notes.append(finding)

    def unreadable(self, column: str, texts: pl.Series, setting: str) -> None:
        """Keeps how many cells of a column could not be read, given as texts, with the commonest and what may help."""
        if len(texts):
            counts = texts.value_counts(name="rows").sort("rows", texts.name, descending=[True, False])
            example, different = clip(counts[texts.name][0] or ""), counts.height
            self.unread.append(
                {"column": column, "rows": len(texts), "example": example, "different": different, "setting": setting}
            )

    def as_dict(self) -> dict[str, Any]:
        """For `EventLog.detected`: plain values that JSON can hold."""
        notes = [asdict(note) for note in self.notes]
        return {"notes": notes, "missing": self.missing, "unread": self.unread, "decided": self.decided}


def lines(detected: dict[str, Any]) -> list[tuple[str, str]]:
    """(label, text) of what was understood of a log, from `EventLog.detected`."""
    found_by, columns = detected.get("found_by", {}), detected.get("columns", {})
    how = {field: f" ({found_by[field]})" if found_by.get(field, "name") != "name" else "" for field in columns}
    unit, zone = detected.get("time", ""), detected.get("zone")
    span = " to ".join(detected.get("span", []))
    rows = [
        ("source", detected.get("source", "")),
        ("columns", ", ".join(f"{field} = {name}{how[field]}" for field, name in columns.items())),
        ("time", "; ".join(filter(None, (UNIT_NAMES.get(unit, unit), zone and f"zone {zone}", span)))),
        ("order", detected.get("order", "")),
    ]
    words: dict[str, list[tuple[str, int]]] = {}
    for cell in detected.get("missing", []):
        words.setdefault(cell["column"], []).append((cell["word"], cell["rows"]))
    if words:
        texts = (f"{column}: {counted(counts)}" for column, counts in words.items())
        rows.append(("read as missing", f"{'; '.join(texts)} [data.missing=!NA keeps the word NA]"))
    rows += [
        ("not readable", f"{cell['rows']:,} in {cell['column']}, such as {cell['example']!r}{_advice(cell['setting'])}")
        for cell in detected.get("unread", [])
    ]
    for note in detected.get("notes", []):
        rows.append((note["topic"], f"{'WARNING: ' * note['warning']}{note['text']}{_advice(note['setting'])}"))
    return [(label, text) for label, text in rows if text]


def clip(text: str) -> str:
    """A source's text as it may be shown: not longer than `SHOWN`."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def quoted(texts: Iterable[str]) -> str:
    """Some of a source's texts, each as it may be shown."""
    return ", ".join(repr(clip(text)) for text in texts)


def counted(counts: Iterable[tuple[str, int]]) -> str:
    """Words with how often they come: "'paid' 12x, 'void' 3x"."""
    return ", ".join(f"{word!r} {rows:,}x" for word, rows in counts)


def _advice(setting: str) -> str:
    return f" [{setting}]" if setting else ""
