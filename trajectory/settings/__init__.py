"""What can be set: every field with its meaning, arguments of presets, values set by hand, presets by name."""

from trajectory.settings.arguments import parse_arg
from trajectory.settings.by_hand import fill, get, set_by_hand, shown
from trajectory.settings.config import base
from trajectory.settings.fields import BACKBONES, RECURRENT
from trajectory.settings.recipes import Benchmark, shrink

__all__ = ["BACKBONES", "RECURRENT", "Benchmark", "base", "fill", "get", "parse_arg", "set_by_hand", "shown", "shrink"]
