"""Does the main job in one command: train, evaluate, forecast, insights.

trajectory quickstart [--config=complete_journey:model=gru] [--workdir=runs/quickstart]

Of Complete Journey, unless --config names another. The insights are of a second, smaller run beside it, split by time
(preset `insights`, one epoch, marked as such). A second start re-uses what is there.
"""

import time

from absl import flags

from trajectory.cli import command
from trajectory.training import parallel

CONFIG = command.define_config("config", "complete_journey:model=gru", "what to learn")
INSIGHTS = command.define_config("insights", "insights:model=gru", "what insights are of")
WORKDIR = flags.DEFINE_string("workdir", "runs/quickstart", "folder of the run")


def main() -> None:
    """Train, evaluate, forecast; each is skipped where its result is there already."""
    began = time.perf_counter()
    parallel.start(CONFIG.value.train.devices)
    from trajectory.main_job import quickstart

    pages = quickstart(CONFIG.value, WORKDIR.value, insights=INSIGHTS.value)
    opened = "\n".join(f"open {page.resolve()}" for page in pages)
    print(f"\n{opened}   ({time.perf_counter() - began:.0f} s)")
