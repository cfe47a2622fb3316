"""Stands in for `trajectory train`: no work, a metric that the learning rate decides, and `note` says what goes wrong.

note=fail: exits with a message, note=die: without one.
note=hang: waits a minute after the first epoch of a new run, note=pause: a second.
Saves after each epoch and at SIGTERM, and goes on where it was.
starts.txt has a line for each start.
"""

import ast
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    given = dict(text.removeprefix("--").split("=", 1) for text in sys.argv[1:])
    folder = Path(given.pop("workdir"))
    config: dict = {"note": "", "train": {"epochs": 3, "monitor": "ndcg@10"}}
    for field, text in given.items():
        *sections, name = field.split(".")[1:] or ["file"]
        section = config
        for key in sections:
            section = section.setdefault(key, {})
        section[name] = text
        with contextlib.suppress(ValueError, SyntaxError):
            section[name] = ast.literal_eval(text)
    with (folder / "starts.txt").open("a") as file:
        file.write("started\n")
    if config["note"] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if config["note"] == "fail":
        print("all was well\nerror: the made-up mistake")
        raise SystemExit(2)
    rate = config.setdefault("optim", {}).setdefault("learning_rate", 0.001)
    (folder / "config.json").write_text(json.dumps(config))
    signal.signal(signal.SIGTERM, lambda *_: stops.append(True))
    stops: list[bool] = []
    log, epochs, name = folder / "metrics.jsonl", config["train"]["epochs"], config["train"]["monitor"]
    values = [json.loads(line)[f"validation/{name}"] for line in log.read_text().splitlines()] if log.exists() else []
    print(f"begins after epoch {len(values)}", flush=True)
    while len(values) < epochs and not stops:
        values.append(rate * (1 - 0.5 ** (len(values) + 1)))
        with log.open("a") as file:
            file.write(json.dumps({"step": len(values), "epoch": len(values), f"validation/{name}": values[-1]}) + "\n")
        end = time.monotonic() + {"hang": 60, "pause": 1}.get(config["note"], 0) * (len(values) == 1)
        while time.monotonic() < end and not stops:
            time.sleep(0.01)
    best = max(values, default=None)
    summary = {
        "finished": len(values) >= epochs,
        "epochs": len(values),
        "best_epoch": values.index(best) + 1 if values else -1,
        f"best_{name}": best,
        "seconds_per_epoch": 2.5,
    }
    (folder / "training.json").write_text(json.dumps(summary))


main()
