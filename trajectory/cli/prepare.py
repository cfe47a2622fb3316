"""Reads, cleans and stores the log of a config and describes it.

trajectory prepare --config=complete_journey

With --dry-run nothing is stored: what was understood of the log is printed and written to the page --out.
"""

from pathlib import Path

from absl import flags

from trajectory.cli import command
from trajectory.data.store.arrays import describe
from trajectory.data.store.builder import prepare
from trajectory.inspection.page import show

_CONFIG = command.define_config("config", "complete_journey", "the config; its data is prepared")
_DRY_RUN = flags.DEFINE_bool("dry-run", False, "say what is understood of the log, and store nothing")
_OUT = flags.DEFINE_string("out", "inspect.html", "the page that --dry-run writes")


def main() -> None:
    """Prepares `config.data`, or only inspects it; a second call re-uses the first one's result."""
    if _DRY_RUN.value:
        show(_CONFIG.value.data, Path(_OUT.value))
    else:
        print(describe(prepare(_CONFIG.value.data)))
        command.next_command(
            f"train --config={command.config_given('config')} --workdir=runs/first", "a model of this log"
        )
