"""One config over backbones and seeds: trains and evaluates each, then prints mean and spread beside the floors.

python scripts/sweep.py --config=configs/complete_journey.py --models=lstm,gru --seeds=0,1,2 --out=runs/sweep

Each run is resumable and re-used when finished, so the same command goes on after an interruption.
"""

import json
import subprocess
import sys
from pathlib import Path

from trajectory import cli

CONFIG = cli.flags.DEFINE_string("config", None, "configs/<name>.py or configs/<name>.py:<arguments without model>")
MODELS = cli.flags.DEFINE_list("models", ["lstm", "gru", "transformer"], "backbones")
SEEDS = cli.flags.DEFINE_list("seeds", ["0", "1", "2"], "seeds")
SET = cli.flags.DEFINE_multi_string("set", [], "config field of all runs, e.g. --set=train.epochs=4; repeatable")
OUT = cli.flags.DEFINE_string("out", None, "folder of the runs")
METRICS = cli.flags.DEFINE_list("metrics", ["recall@10", "ndcg@10"], "test metrics to show")
cli.flags.mark_flags_as_required(["config", "out"])


def main() -> None:
    """Runs what is missing, then reads all and prints."""
    from trajectory.evaluation.sweep import table

    runs: dict[str, list[Path]] = {}
    for model in MODELS.value:
        for seed in SEEDS.value:
            workdir = Path(OUT.value) / f"{model}_{seed}"
            runs.setdefault(model, []).append(workdir)
            if not (workdir / "evaluation.json").exists():
                joint = "," if ":" in CONFIG.value else ":"
                config = [f"--config={CONFIG.value}{joint}model={model}", f"--config.seed={seed}"]
                config += [f"--config.{field}" for field in SET.value]
                for script, flags in (("train", config), ("evaluate", [])):
                    command = [sys.executable, f"scripts/{script}.py", f"--workdir={workdir}", *flags]
                    if subprocess.run(command).returncode:
                        raise cli.UserError(
                            f"{' '.join(command[1:])} failed, its message is above; put it right and "
                            "start the same sweep again: what is finished is kept"
                        )
    found = {
        name: [
            {file: json.loads((folder / f"{file}.json").read_text()) for file in ("evaluation", "training")}
            for folder in folders
        ]
        for name, folders in runs.items()
    }
    print(table(found, METRICS.value))


if __name__ == "__main__":
    cli.run(main)
