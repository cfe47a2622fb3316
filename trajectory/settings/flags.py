"""A config from the command line: --config=PRESET:arguments, then fields of it, --config.train.epochs=2."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

from absl import flags
from ml_collections import ConfigDict, config_flags
from ml_collections.config_flags.config_flags import is_config_flag

from trajectory.renamed import flag
from trajectory.schema import UserError
from trajectory.settings import by_hand, presets, within
from trajectory.settings.config import base
from trajectory.settings.written import boolean, words

MISTAKES = (flags.Error, UserError, AttributeError, KeyError, TypeError, ValueError, OSError)


def read(arguments: Sequence[str]) -> ConfigDict:
    """The config of these flags, which are as for `trajectory train`. Raises UserError where they are wrong."""
    values, argv = flags.FlagValues(), ["", *map(flag, arguments)]
    config_flags.DEFINE_config_file("config", flag_values=values, sys_argv=argv)
    parse(values, argv)
    return values["config"].value


def set_fields(config: ConfigDict, fields: Sequence[str]) -> ConfigDict:
    """Sets fields by hand, each as "data.day_first=yes", as flags behind one of a config do. Returns the same config.

    Raises UserError for a field that there is not, or a value of another type.
    """
    if bare := next((text for text in fields if "=" not in text), None):
        raise UserError(f"--config.{bare}: expected a value behind it, --config.{bare}=VALUE")
    named = by_hand.checked(dict(text.split("=", 1) for text in fields))
    values, argv = flags.FlagValues(), ["", *(f"--config.{name}={value}" for name, value in named.items())]
    try:
        config_flags.DEFINE_config_dict("config", by_hand.plain(config), flag_values=values, sys_argv=argv)
    except MISTAKES as error:
        raise UserError(_reason(error)) from None
    parse(values, argv)
    return by_hand.set_by_hand(config, config_flags.get_override_values(values["config"]))


def parse(values: flags.FlagValues, argv: Sequence[str]) -> list[str]:
    """Reads flags into `values` and notes in their configs what was set by hand; returns what is no flag.

    Raises UserError, in one line, where they are wrong.
    """
    try:
        configs = [name for name in values if is_config_flag(values[name])]
        rest = values(_plain(argv, configs))
        for name in configs:
            _record(values[name])
    except MISTAKES as error:
        raise UserError(_reason(error)) from None
    return rest


def _plain(argv: Sequence[str], configs: Sequence[str]) -> list[str]:
    """The arguments with presets as files, and fields of configs as flags read them."""
    prefixes = tuple(f"--{name}." for name in configs)
    plain = [*argv]
    for i, text in enumerate(plain):
        if text.startswith(prefixes):
            field, equals, value = text.partition("=")
            if equals:
                plain[i] = f"{field}={_as_flag(field, value)}"
            elif i + 1 < len(plain) and not plain[i + 1].startswith("-"):  # else a flag that needs no value
                plain[i + 1] = _as_flag(field, plain[i + 1])
            continue
        name, equals, value = text.lstrip("-").partition("=")
        if not text.startswith("-") or name not in configs:
            continue
        if equals:
            plain[i] = f"--{name}={_found(name, value)}"
        elif i + 1 < len(plain):
            plain[i + 1] = _found(name, plain[i + 1])
    return plain


def _found(name: str, value: str) -> str:
    # A missing file: config_flags would say so only when its value is used, with a traceback.
    try:
        return presets.find(value)
    except UserError as error:
        raise UserError(f"--{name}: {error}") from None


def _as_flag(field: str, value: str) -> str:
    """The value of --config.data.header=user,item as flags read it: words of a tuple in quotes, true for yes."""
    place: Any = base()
    for name in field.split(".")[1:]:
        place = place.get(name) if isinstance(place, ConfigDict) else None
    if isinstance(place, bool):
        if (yes := boolean(value)) is None:
            raise UserError(f"{field}={value}: expected yes or no")
        return str(yes)
    return repr(words(value)) if isinstance(place, tuple) and not _of_others(value) else value


def _of_others(value: str) -> bool:
    """Whether a list is of other things than words: numbers, or pairs as of init.rules."""
    try:
        read = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        return False
    parts = read if isinstance(read, tuple | list) else (read,)
    return not all(isinstance(part, str) for part in parts)


def _record(flag: flags.Flag) -> None:
    """Notes in a config which of its fields other flags set (settings/by_hand.py), and checks all of them."""
    if flag.value is not None and "by_hand" in flag.value:
        within.check(flag.value)
        by_hand.record(
            flag.value,
            config_flags.get_override_values(flag),
            flag.parser.parse(config_flags.get_config_filename(flag)),
        )


def _reason(error: Exception) -> str:
    """What is wrong with flags, in one line, from the error of the libraries that read them."""
    inner = error.args[0] if isinstance(error, AttributeError) and error.args else error
    if isinstance(inner, KeyError):
        return "unknown config field " + str(inner.args[0]).replace("\n", ". ")
    message = str(error)
    if missing := re.findall(r"Flag (--\S+) must have a value other than None", message):
        return f"expected {', '.join(missing)}; --help says more"
    if "Traceback" in message:  # a preset's own error, wrapped whole by config_flags
        message = message.strip().splitlines()[-1].rpartition("UserError: ")[2]
    return message
