"""Integrated gradients of models trained for three epochs on Amazon Beauty, compared with captum's of the same."""

import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict

from trajectory.benchmarks.timing import least, peak_gib, torch_python
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.explain.explain import Explainer
from trajectory.explain.targets import Target
from trajectory.run import Run, load_run
from trajectory.schema import Histories, Queries, UserError
from trajectory.settings import base
from trajectory.training import experiment, loop

LENGTH, ROWS, USERS = 50, 64, 2560
LAYERS = {"gru": (128,), "transformer": (64, 64)}
ROUNDS = 4
LONG, FEW = 1000, 8


def explain() -> None:
    """Explanations a second on the histories of 2,560 test users at their lengths, on rows of 50, and by captum."""
    for backbone in LAYERS:
        with tempfile.TemporaryDirectory() as folder:
            run = _trained(backbone, LENGTH, Path(folder))
            explainer = Explainer(run, Target("item"))
            split, histories = run.experiment.split.test, run.experiment.histories
            some = np.linspace(0, len(split.user) - 1, USERS).astype(int)
            users = Queries(*(column[some] for column in split))
            rows = _long(histories, ROWS, LENGTH)
            _measure(explainer, histories, users, rows)
            try:
                error = _captum(explainer, rows, Path(folder))
            except UserError as skipped:
                print(f"explain: captum skipped; {skipped}")
                continue
            if error < run.config.explain.completeness_error:
                run.config.explain.completeness_error = error
                _measure(Explainer(run, Target("item")), histories, users, rows)


def explain_long() -> None:
    """Peak memory of explaining histories of 1,000 events; alone, as a process remembers its peak."""
    for backbone in LAYERS:
        with tempfile.TemporaryDirectory() as folder:
            run = _trained(backbone, LONG, Path(folder), epochs=1)
        explainer, before = Explainer(run, Target("item")), peak_gib()
        rows = _long(run.experiment.histories, FEW, LONG)
        (seconds,) = least([partial(_explained, explainer, *rows)], 2)
        print(
            f"explain_long: {backbone}, {FEW} histories of {LONG} events: {seconds / FEW:.2f} s each; peak "
            f"{peak_gib():.2f} GiB, {before:.2f} GiB before"
        )


def _trained(backbone: str, length: int, folder: Path, epochs: int = 3) -> Run:
    c = base(backbone)
    c.name = c.data.source = "amazon_beauty"
    c.batch.length, c.batch.targets = length, LENGTH
    c.model.inputs, c.model.layers, c.model.attention_heads = ("item",), LAYERS[backbone], 2
    c.train.epochs = epochs
    c.logging.wandb = c.logging.tensorboard = False
    built = experiment.build(c)
    loop.train(built, folder / "run", ValidationMonitor(built))
    return load_run(folder / "run")


def _explained(explainer: Explainer, histories: Histories, queries: Queries) -> np.ndarray:
    """Completeness error and number of gradients of each explanation, [n, 2]."""
    batches = [batch.attribution for batch in explainer.attributions(histories, queries)]
    return np.concatenate([np.stack([batch.completeness_error, batch.num_gradients], axis=1) for batch in batches])


def _measure(explainer: Explainer, histories: Histories, users: Queries, rows: tuple[Histories, Queries]) -> None:
    backbone, error = explainer.config.model.backbone, explainer.config.explain.completeness_error
    for what, histories_and_queries in {"histories of Beauty": (histories, users), f"rows of {LENGTH}": rows}.items():
        (seconds,) = least([partial(_explained, explainer, *histories_and_queries)], ROUNDS)
        rate = len(histories_and_queries[1].user) / seconds
        _tell(
            f"{backbone}, {what}, completeness errors below {error:.2%}",
            rate,
            _explained(explainer, *histories_and_queries),
        )


def _tell(what: str, rate: float, explained: np.ndarray) -> None:
    error, points = explained[:, 0].max(), explained[:, 1].mean()
    print(
        f"explain: {what}: {rate:,.0f} a second, largest completeness error {error:.2%}, mean of {points:.1f} gradients"
    )


def _long(histories: Histories, rows: int, length: int) -> tuple[Histories, Queries]:
    """The log as histories of `length` events, one after the other: the first of them."""
    start = np.arange(rows) * length
    return histories, Queries(np.zeros(rows, int), start, start + length, start + length)


def _captum(explainer: Explainer, rows: tuple[Histories, Queries], folder: Path) -> float:
    """The largest completeness error of captum's."""
    python = torch_python()
    batch = next(explainer.forecasts(*rows))
    spec = explainer.function.model.spec
    arrays: dict[str, Any] = {
        f"p/{name}": value
        for name, value in flatten_dict(explainer.function.variables["params"]["model"], sep="/").items()
    }
    reference = batch.inputs.vectors_of(explainer.reference(batch.inputs))
    item = np.asarray(batch.inputs.targets.index, np.int64)
    arrays |= {"x": batch.inputs.vectors, "reference": reference, "item": item}
    about = {"backbone": spec.model.backbone, "layers": spec.model.layers, "heads": spec.model.attention_heads}
    np.savez(folder / "twin.npz", spec=json.dumps(about), **arrays)
    command = [python, str(Path(__file__).with_name("torch_explain.py")), str(folder / "twin.npz")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        answers = []
        for _ in range(ROUNDS):
            print(file=process.stdin, flush=True)
            answers.append([float(text) for text in process.stdout.readline().split()])
        process.stdin.close()
    seconds, largest = min(answers)
    print(
        f"explain: {spec.model.backbone}, rows of {LENGTH}: {len(batch.first) / seconds:,.0f} a second by captum with "
        f"50 points, largest completeness error {largest:.2%}"
    )
    return largest
