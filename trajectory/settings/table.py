"""All config fields as one Markdown page: docs/config.md, and what `trajectory configs fields` prints."""

from __future__ import annotations

from typing import Any

from trajectory.settings import presets
from trajectory.settings.fields import SECTIONS

HEAD = """# Config fields

Every field with its default. `--config.SECTION.FIELD=VALUE` sets one behind any command that takes `--config`; in
Python `settings={"SECTION.FIELD": value}` does, or `config.SECTION.FIELD = value` of a config that
`trajectory.prepare` or `trajectory.preset` returned. A value that is not allowed, infinite or NaN is refused before
anything runs; where words stand between bars, it is one of these. What is set by hand is changed by nothing automatic.
This page is written by `trajectory configs fields > docs/config.md` from `trajectory/settings/fields.py` and the
presets.
"""
PRESETS = """## Presets

`--config=NAME:argument=value,argument=value`, in Python `trajectory.preset("NAME:argument=value")`. Each takes `model`
(lstm, gru, transformer or hybrid) and `tiny` (a first look at few users); a bare name means yes.

| preset | what it is | arguments |
|---|---|---|
"""


def page() -> str:
    """The page."""
    return "\n".join([HEAD, _presets(), *(_section(path) for path in SECTIONS)])


def _presets() -> str:
    rows = presets.described().items()
    return PRESETS + "".join(
        f"| `{name}` | {_cell(line)} | {_cell(presets.arguments(name))} |\n" for name, line in rows
    )


def _section(path: str) -> str:
    section = SECTIONS[path]
    lines = [
        f"## {path or 'top'}",
        "",
        section.meaning,
        "",
        "| field | default | allowed | meaning |",
        "|---|---|---|---|",
    ]
    for name, (default, meaning, allowed) in section.fields.items():
        field = f"{path}.{name}".lstrip(".")
        limit = allowed.words if allowed and not allowed.choices else ""  # choices are in the meaning
        lines.append(f"| `{field}` | {_default(default)} | {limit} | {_cell(meaning)} |")
    return "\n".join([*lines, ""])


def _default(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {text or 'no role'}" for key, text in value.items()) or "`{}`"
    return f"`{value!r}`" if isinstance(value, str) else f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
