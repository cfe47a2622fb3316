"""What can be set: every field with its meaning, arguments of presets, values set by hand, presets by name."""

from trajectory.settings.arguments import parse_arg
from trajectory.settings.by_hand import checked, fill, get, plain, put, set_by_hand, shown
from trajectory.settings.config import base
from trajectory.settings.fields import BACKBONES, RECURRENT
from trajectory.settings.recipes import Benchmark, shrink
from trajectory.settings.watched import watched

__all__ = [
    "BACKBONES",
    "RECURRENT",
    "Benchmark",
    "base",
    "checked",
    "fill",
    "get",
    "parse_arg",
    "plain",
    "put",
    "set_by_hand",
    "shown",
    "shrink",
    "watched",
]
