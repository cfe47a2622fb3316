"""Stands in for `trajectory evaluate`: each of ten users has the learning rate, more or less, as their metric."""

import json
import sys
from pathlib import Path

import polars as pl

folder = Path(sys.argv[1].removeprefix("--workdir="))
rate = json.loads((folder / "config.json").read_text())["optim"]["learning_rate"]
users = [f"u{i}" for i in range(10)]
values = [rate * (1 + 0.01 * i) for i in range(10)]
part = {"ndcg@10": sum(values) / 10}
pl.DataFrame({"part": "test", "user": users, "ndcg@10": values}).write_parquet(folder / "per_user.parquet")
found = {
    "metrics": {"validation": {"ndcg@10": rate}, "test": part},
    "baselines": {"popularity": {"test": {"ndcg@10": 0.002}}},
    "confidence_intervals": {
        "test": {"ndcg@10": {"standard_error": 0.0001}},
        "baselines": {"popularity": {"test": {}}},
    },
    "paired": {"test": {}},
    "protocol": {
        "data": "made up",
        "fingerprint": "0123456789abcdef",
        "split": "leave_one_out",
        "guarantee": "none",
        "users": {"validation": 10, "test": 10},
        "cutoffs": [10],
        "confidence_intervals": "made up",
        "seed": 0,
    },
}
(folder / "evaluation.json").write_text(json.dumps(found))
