"""Learns the made-up log of user A in seconds and compares with its true probabilities.

trajectory user-a --steps=3

A finished run in --workdir is used again.
"""

from pathlib import Path

from absl import flags

from trajectory.cli import command
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number
from trajectory.training import parallel

CONFIG = command.define_config("config", "user_a", "the config, e.g. user_a:model=lstm")
WORKDIR = flags.DEFINE_string("workdir", "runs/user_a", "folder of the run")
STEPS = number("steps", 3, "steps ahead", at_least(1))
PATHS = number("paths", 2000, "sampled paths", at_least(1))


def main() -> None:
    """Trains or opens the run, forecasts, prints."""
    parallel.start()
    from trajectory.forecasting.user_a import compare, trained

    print(compare(trained(CONFIG.value, Path(WORKDIR.value)), STEPS.value, PATHS.value).text())
