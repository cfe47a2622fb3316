"""The founding document's user A: learns its made-up log in seconds and forecasts A's table beside the known truth.

python scripts/user_a.py --steps=3

A finished run in --workdir is used again.
"""

from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

CONFIG = cli.config_flags.DEFINE_config_file(
    "config", "configs/user_a.py", "the config, e.g. configs/user_a.py:model=lstm"
)
WORKDIR = cli.flags.DEFINE_string("workdir", "runs/user_a", "folder of the run")
STEPS = cli.flags.DEFINE_integer("steps", 3, "steps ahead", lower_bound=1)
PATHS = cli.flags.DEFINE_integer("paths", 2000, "sampled paths", lower_bound=1)


def main() -> None:
    """Trains or opens the run, forecasts, prints."""
    parallel.start()
    from trajectory.forecasting.user_a import compare, trained

    print(compare(trained(CONFIG.value, Path(WORKDIR.value)), STEPS.value, PATHS.value).text())


if __name__ == "__main__":
    cli.run(main)
