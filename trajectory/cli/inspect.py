"""Prints and writes a page of what is understood of a log, before anything is stored.

trajectory inspect LOG [--config.data.day_first=yes]: LOG is a file, a folder, the name of a domain, or tfds:NAME.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from trajectory.cli.command import define_fields, next_command

OUT = flags.DEFINE_string("out", "inspect.html", "the page to write")
FIELDS = define_fields("a setting, such as --config.data.day_first=yes")


def main(log: str) -> None:
    """Inspects `log` with the settings."""
    from trajectory.inspection.page import show_log

    show_log(log, FIELDS.value, Path(OUT.value))
    next_command(f"train --config=own_log:path={log} --workdir=runs/first", "a model of this log")
