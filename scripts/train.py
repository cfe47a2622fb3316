"""Trains one config into a run's folder.

python scripts/train.py --config=configs/complete_journey.py:model=gru --workdir=runs/x --config.optim.b2=0.99

The same command again goes on from the newest checkpoint, bit for bit.
"""

from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

CONFIG = cli.config_flags.DEFINE_config_file("config", None, "configs/<name>.py:<arguments>")
WORKDIR = cli.flags.DEFINE_string("workdir", None, "folder of the run, e.g. runs/first")
cli.flags.mark_flags_as_required(["config", "workdir"])


def main() -> None:
    """One call into each room: prepare and build, then train while the evaluation room watches."""
    parallel.start(CONFIG.value.train.devices)
    from trajectory.evaluation.validation import Watch
    from trajectory.training import loop, task

    built = task.build(CONFIG.value)
    loop.train(built, Path(WORKDIR.value), Watch(built))


if __name__ == "__main__":
    cli.run(main)
