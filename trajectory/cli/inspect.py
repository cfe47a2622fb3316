"""Prints and writes a page of what is understood of a log, before anything is stored.

trajectory inspect LOG [--set=data.day_first=yes]: LOG is a file, a folder, the name of a domain, or tfds:NAME.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

OUT = flags.DEFINE_string("out", "inspect.html", "the page to write")
SET = flags.DEFINE_multi_string("set", [], "a setting, data.FIELD=VALUE; repeatable")


def main(log: str) -> None:
    """Inspects `log` with the settings."""
    from trajectory.inspection.page import show_log

    show_log(log, SET.value, Path(OUT.value))
