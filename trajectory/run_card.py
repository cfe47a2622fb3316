"""README.md of a run's folder, a model card (Mitchell et al. 2019): written anew, whole, by what writes files there."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from trajectory.writing import write_text

NAME = "README.md"


class File(NamedTuple):
    """What a file of a run's folder is: its name, or that of several, who writes it, what it holds."""

    names: tuple[str, ...]
    by: str
    holds: str


FILES = (
    File(
        ("config.json",),
        "train",
        "all fields ([config.md](config.md)), those that were set automatically, too; `by_hand`: those set by hand",
    ),
    File(
        ("data.json",),
        "train",
        "of the log: name, source and format, fingerprint, counts, split with its guarantee, scale of features",
    ),
    File(
        ("vocabulary.json", "vocabulary.parquet"),
        "train",
        "items, interests and types of event that the run knows, and how the log was read",
    ),
    File(
        ("background.npz", "item_table.npz", "item_content.npz"),
        "train",
        "histories that explanations compare with; where items have content, their vectors and that",
    ),
    File(("checkpoints/",), "train", "`best` on validation and the newest (`last`), of Orbax"),
    File(
        ("metrics.jsonl",),
        "train, evaluate",
        "a line for each logged step (with its learning rate) and validation, and one of the last evaluation on test",
    ),
    File(
        ("tensorboard/", "wandb/"),
        "train, evaluate",
        "the same for TensorBoard and Weights & Biases (`wandb sync` sends what was logged offline)",
    ),
    File(("training.json",), "train", "how training ended"),
    File(
        ("interests.json",),
        "train, evaluate",
        "what interests are forecast by, items summed by interest or the interest head: whichever is better on "
        "validation, with the log-loss of both",
    ),
    File(("curves.png",), "train", "losses and the monitored metric by epoch"),
    File(("README.md",), "each command that writes here", "what the run is, how good, what lies in its folder"),
    File(("evaluation.json",), "evaluate", "metrics of the run and of the baselines, with their protocol"),
    File(
        ("per_user.parquet",),
        "evaluate",
        "part, user and a column for each ranking metric; null where a user does not count",
    ),
    File(("trajectories.json", "reliability.png"), "evaluate with multi_step", "each measure of each step"),
    File(
        ("calibration.json",),
        "evaluate with multi_step=direct",
        "what forecasts of that checkpoint are calibrated with; not those of purchases alone (`data.target_types`), "
        "which are asked at any moment",
    ),
    File(
        ("forecast.parquet", "report.html", "forecast.png"),
        "forecast",
        "the columns of `Forecast`; the page; where interests are forecast to change beyond chance",
    ),
    File(
        ("attributions.parquet", "attributions.html"),
        "explain",
        "the columns of `Explanation`, one row an input of an event",
    ),
    File(
        (
            *("migration.html", "migrations.parquet", "flows.parquet", "states.parquet", "migration_forecast.parquet"),
            *("flow_forecast.parquet", "attention.parquet", "lag.parquet", "transitions.json"),
        ),
        "migrate",
        "the page and the tables of `Migrations`; `states`: each user's share of each interest by window; "
        "`transitions`: how far forecasts held",
    ),
    File(
        ("user_vectors.parquet", "item_vectors.parquet", "items.parquet", "items.png"),
        "export",
        "vectors of users and items; a map of the items",
    ),
    File(("faithfulness_*.json",), "faithfulness", "how faithful each method of attribution is"),
    File(
        ("insights.html", "insights.json", "insights_parts.json", "<table>.parquet", "<table>.csv"),
        "insights",
        "the page; how far each part held; what the page shows of each part, so that one is made anew by itself; the "
        "tables of `Changes`, `Customers`, `Recommendations`, `Segments`, `Audiences`, `Demand` and `Funnel`",
    ),
)


def table() -> str:
    """The files as the table of docs/files.md."""
    rows = (f"| {_names(file.names)} | {file.by} | {file.holds} |" for file in FILES)
    return "\n".join(("| file | by | what it holds |", "|---|---|---|", *rows))


def write_card(workdir: Path) -> None:
    """Writes README.md of what the run's folder holds now. Where there is no run, nothing is written."""
    config, data = _stored(workdir / "config.json"), _stored(workdir / "data.json")
    if not config or not data:
        return
    training, evaluation = _stored(workdir / "training.json"), _stored(workdir / "evaluation.json")
    sections = {
        f"{config.get('name')}: {config.get('model', {}).get('backbone')}": _what(config, data),
        "Training": _training(config, training),
        "How good it is": _measured(workdir, evaluation),
        "How to open it": _opening(workdir),
        "Limits of use": _limits(workdir, config, evaluation),
        "Files": _files(workdir),
    }
    text = "\n\n".join(f"## {title}\n\n" + "\n".join(_whole(lines)) for title, lines in sections.items())
    write_text(f"{text.removeprefix('#')}\n", workdir / NAME)


def _whole(lines: Iterator[str]) -> list[str]:
    """The lines of a section, or that a file which says them is not of the expected form."""
    try:
        return list(lines)
    except (AttributeError, KeyError, TypeError, ValueError):
        return ["A file of this folder that says this is damaged; the command that reads it names it."]


def _what(config: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    model, split = config["model"], config["split"]
    yield "A run of `trajectory`: a model of what each user of a log does next. This page is written by the program."
    yield ""
    source = config["data"]["source"] or ", ".join(config["sources"]["names"])
    yield (
        f"- data: {data.get('name')}, from {_code(source)}: {data.get('events', 0):,} events of "
        f"{data.get('users', 0):,} users ({data.get('training_events', 0):,} train), {data.get('items', 0):,} items, "
        f"{data.get('interests', 0):,} interests; types of event: {', '.join(data.get('event_types', ()))}; "
        f"fingerprint {data['fingerprint'][:12]}"
    )
    if note := config.get("note"):
        yield f"- of this data: {note}"
    yield f"- split: {split['kind']}. {data.get('guarantee', '')}"
    heads = ", ".join(f"{name} {weight:g}" for name, weight in config["heads"].items() if weight and name != "horizon")
    yield (
        f"- model: {model['backbone']}, vectors of width {model['width']}, layers "
        f"{', '.join(map(str, model['layers']))}; heads by weight: {heads}; steps forecast directly: "
        f"{config['heads']['horizon']}; items are known by {config['content']['by']}"
    )
    if config.get("by_hand"):
        yield f"- set by hand: {', '.join(map(_code, config['by_hand']))} (`config.json` has all fields)"


def _training(config: dict[str, Any], training: dict[str, Any]) -> Iterator[str]:
    if not training:
        yield "Not over: the same `trajectory train` command goes on with it."
        return
    monitor = config["train"]["monitor"]
    state = "finished" if training["finished"] else f"stopped by {training['stopped_by']}, to be gone on with"
    yield (
        f"{state.capitalize()} after {training['epochs']} of at most {config['train']['epochs']} epochs, "
        f"{training['seconds_per_epoch']:.1f} s each; {training['parameters']:,} parameters; seed {config['seed']}."
    )
    best = training.get(f"best_{monitor}")
    if best is not None:
        yield f"Best epoch, the one that is used: {training['best_epoch']}, with {monitor} {best:.4f} on validation."


def _measured(workdir: Path, evaluation: dict[str, Any]) -> Iterator[str]:
    paired = evaluation.get("paired", {}).get("test", {})
    if not paired:
        yield "Not measured on test yet: `trajectory evaluate` does that, beside counting rules."
        return
    facts, intervals = evaluation["protocol"], evaluation["confidence_intervals"]["test"]
    yield f"On test, of {facts['users']['test']:,} users; {facts.get('checkpoint')}. Baselines are counting rules."
    if _is_old(workdir, facts):
        yield "**Training has gone on since: this is of an earlier checkpoint. Evaluate again.**"
    yield ""
    yield "| metric | model | 95 % | best baseline | its value | difference | 95 % |"
    yield "|---|--:|--:|---|--:|--:|--:|"
    for metric, test in paired.items():
        value, band = evaluation["metrics"]["test"][metric], intervals.get(metric, {})
        own = f"{band['low']:.4f} to {band['high']:.4f}" if band else ""
        yield (
            f"| {metric} | {value:.4f} | {own} | {test['baseline']} | {value - test['difference']:.4f} | "
            f"{test['difference']:+.4f} | {test['low']:+.4f} to {test['high']:+.4f} |"
        )
    yield ""
    yield f"Candidates: {facts.get('candidates', 0):,} ({facts.get('candidate_rule')}). `evaluation.json` has the rest."


def _opening(workdir: Path) -> Iterator[str]:
    yield "```python"
    yield "import trajectory as tj"
    yield ""
    yield f'run = tj.load_run("{workdir.name}")  # from the folder that it lies in'
    yield 'run.predict("new_users.csv").frame  # the most likely next items of new users'
    yield "```"
    yield ""
    yield f"On the command line: `trajectory predict --workdir={workdir.name} --events=new_users.csv`."


def _limits(workdir: Path, config: dict[str, Any], evaluation: dict[str, Any]) -> Iterator[str]:
    yield "- It tells what is likely, not what a message, price or recommendation changes."
    yield "- It knows the items of its training log; others are read without their id, and never predicted."
    yield "- It was measured on the users and the time of that log; on others, and later, it may be worse."
    if config["evaluation"]["seen"] == "filter":
        yield "- Items that a user has had are never predicted again (`evaluation.seen`)."
    behind = [
        f"{metric} ({test['baseline']})"
        for metric, test in evaluation.get("paired", {}).get("test", {}).items()
        if test["low"] <= 0
    ]
    if behind:
        yield f"- It is not ahead of counting beyond chance in {', '.join(behind)}: counting may do as well."
    if not (workdir / "calibration.json").exists():
        yield "- Its probabilities are the model's own: not calibrated on outcomes (`evaluate` with multi_step is)."
    yield "- The files hold ids and behaviour of the log's users: whoever may not see the log may not see them either."


def _files(workdir: Path) -> Iterator[str]:
    there = {f"{path.name}/" if path.is_dir() else path.name for path in workdir.iterdir()} | {NAME}
    parts = _stored(workdir / "insights_parts.json").get("parts", {})
    tables = [table for part in parts.values() for table in part["tables"]]
    yield "| file | by | what it holds |"
    yield "|---|---|---|"
    for file in FILES:
        patterns = [of.replace("<table>", table) for of in file.names for table in (tables if "<" in of else [""])]
        names = sorted(name for name in there if any(fnmatch.fnmatch(name, of) for of in patterns))
        there -= {*names}
        if names:
            yield f"| {_names(names)} | {file.by} | {file.holds.replace('[config.md](config.md)', 'docs/config.md')} |"


def _is_old(workdir: Path, facts: dict[str, Any]) -> bool:
    """Whether what was evaluated is no longer the best checkpoint."""
    best = workdir / "checkpoints" / "best"
    steps = [path.name for path in best.iterdir() if path.name.isdecimal()] if best.is_dir() else []
    return bool(steps) and str(facts.get("checkpoint", "")).rpartition(" ")[2] not in steps


def _stored(path: Path) -> dict[str, Any]:
    """What a file of JSON holds; nothing where it is missing or damaged, which is told by what needs it."""
    try:
        value = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _names(names: Any) -> str:
    return ", ".join(map(_code, names))


def _code(text: str) -> str:
    return f"`{text}`"
