"""trajectory COMMAND: finds the sub-command and starts it; what each does is the first line of its file."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path

import trajectory
from trajectory import faults, memory, threads
from trajectory.renamed import flag

GROUPS = {
    "data": ("inspect", "prepare", "synthesize"),
    "models": ("configs", "train", "evaluate", "sweep", "search", "transfer"),
    "what comes out": ("predict", "forecast", "migrate", "explain", "insights", "export"),
    "first looks": ("report", "quickstart", "user-a"),
    "measurements": (
        *("faithfulness", "ground-truth", "measure-audiences", "measure-conversions", "measure-types"),
        *("measure-demand", "measure-segments", "measure-shop", "bench", "fuzz-logs"),
    ),
}
COMMANDS = [name for names in GROUPS.values() for name in names]


def main(*command: str) -> None:
    """Runs `command` with the arguments of this process, or what these say where none is given."""
    with faults.reader_may_leave():
        _main(*command)


def _main(*command: str) -> None:
    name, *arguments = (*command, *sys.argv[1:]) or ("--help",)
    if name in ("-h", "--help", "help"):
        print(overview())
        return
    if name == "--version":
        print(trajectory.__version__)
        return
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        print(f"error: there is no command {name!r}; {hint}`trajectory --help` lists them", file=sys.stderr)
        raise SystemExit(2)
    if sys.platform == "win32":
        print("error: trajectory runs on Linux and macOS; on Windows, use WSL", file=sys.stderr)
        raise SystemExit(2)
    if sys.stderr.isatty():
        print("starting ...", file=sys.stderr, flush=True)  # libraries take seconds to come
    start()
    from trajectory.progress import heartbeat, working

    with heartbeat("working"):
        with working("loading libraries"):
            from trajectory.cli import command as door  # NumPy and others come with it

            found = importlib.import_module(f"trajectory.cli.{module(name)}")
        # Where flags of configs look for their fields.
        sys.argv = [f"trajectory {name}", *(flag(text, name) for text in arguments)]
        door.run(found, sys.argv)


def start() -> None:
    """What has to be set before NumPy comes and starts threads."""
    sys.excepthook = faults.hook  # from here on an interrupt, even of imports, has no traceback
    memory.keep()
    threads.sleep_when_idle()


def overview() -> str:
    """Every command with one line."""
    from trajectory.settings.presets import summary

    lines = ["trajectory COMMAND [--flags]     trajectory COMMAND --help says more, trajectory --version which this is"]
    for group, names in GROUPS.items():
        lines += ["", f"{group}:"]
        lines += [f"  {name:20}{summary(Path(__file__).with_name(f'{module(name)}.py'))}" for name in names]
    return "\n".join(lines)


def module(name: str) -> str:
    """The file of a command."""
    return name.replace("-", "_")
