"""Trains one config into a run's folder.

trajectory train --config=complete_journey:model=gru --workdir=runs/x --config.optim.b2=0.99

The same command again goes on from the newest checkpoint, bit for bit.

Several processes, each of which can read the data, train one model with --config.train.strategy=jit. Start each with
the same command and its number:
--coordinator=localhost:1234 --processes=2 --process=0, then --process=1; or all of them with --coordinator=auto on
Slurm, Open MPI, Kubernetes or Cloud TPU. Only process 0 writes to the workdir, prints and validates.
"""

from pathlib import Path

from absl import flags

from trajectory.cli import command
from trajectory.schema import UserError
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number
from trajectory.training import parallel

CONFIG = command.define_config("config", None, "PRESET or FILE.py, with :arguments, e.g. complete_journey:model=gru")
WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run, e.g. runs/first")
COORDINATOR = flags.DEFINE_string("coordinator", "", "host:port of process 0, or auto; only for several processes")
PROCESSES = number("processes", 1, "how many processes train together", at_least(1))
PROCESS = number("process", 0, "number of this one, from 0 on", at_least(0))
flags.mark_flags_as_required(["config", "workdir"])


def main() -> None:
    """Trains, as `trajectory.train` does."""
    if PROCESS.value >= PROCESSES.value:
        raise UserError(f"--process={PROCESS.value}: expected less than --processes={PROCESSES.value}; the first is 0")
    parallel.start(CONFIG.value.train.devices, COORDINATOR.value, PROCESSES.value, PROCESS.value)
    from trajectory.api import learn

    if learn(CONFIG.value, Path(WORKDIR.value))["finished"] and PROCESS.value == 0:
        print(f"written to {WORKDIR.value}; its README.md says what lies there")
        command.next_command(f"evaluate --workdir={WORKDIR.value}", "how good it is on test, beside counting rules")
