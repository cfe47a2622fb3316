"""How a message names what to set, in the words of who reads it: flags on the command line, arguments in Python."""

from __future__ import annotations

from typing import Any

_for_commands = False


def for_commands(yes: bool = True) -> None:
    """From now on messages are read by who gave a command."""
    global _for_commands
    _for_commands = yes


def setting(name: str, value: Any) -> str:
    """A field of the config: --config.train.epochs=2, or settings={"train.epochs": 2}."""
    if _for_commands:
        return f"--config.{name}=" + (f'"{value}"' if isinstance(value, dict) else f"{value}")
    return f'settings={{"{name}": {_literal(value)}}}'


def argument(name: str, value: Any = None) -> str:
    """An argument of a call, perhaps with its value: --out=runs/x, or out="runs/x"."""
    if _for_commands:
        return f"--{name.replace('_', '-')}" + ("" if value is None else f"={value}")
    return name + ("" if value is None else f"={_literal(value)}")


def again() -> str:
    """What goes on where something was stopped, if it is done once more."""
    return "the same command" if _for_commands else "the same call"


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
