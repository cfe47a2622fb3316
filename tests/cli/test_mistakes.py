"""A user's mistake costs one clear message on stderr and exit status 2, and leaves nothing behind."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest

from tests.cli.logs import item_log
from tests.commands import ROOT
from trajectory.cli.main import COMMANDS, module


def assert_explained(ran, *words: str) -> None:
    assert ran.code == 2, (ran.out, ran.err)
    assert "Traceback" not in ran.out + ran.err
    message = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert len(message) == 1, ran.err
    for word in words:
        assert word in message[0]


@pytest.fixture
def train(script, tmp_path):
    """Trains a log with the given further arguments, which must fail, leave no run and nothing half prepared."""

    def run(config: str, *arguments: str, words: tuple[str, ...]) -> None:
        home = f"--config.data.prepared_dir={tmp_path / 'prepared'}"
        ran = script("train", f"--config=configs/{config}", f"--workdir={tmp_path / 'run'}", home, *arguments)
        assert_explained(ran, *words)
        assert not (tmp_path / "run").exists()
        for folder in (tmp_path / "prepared").glob("*/*/"):
            assert (folder / "meta.json").is_file(), "half-written"

    return run


@pytest.mark.parametrize(
    ("config", "argument", "words"),
    [
        (
            "user_a.py",
            "--config.optim.learningrate=1",
            ("unknown config field 'learningrate'. Did you mean \"learning_rate\"",),
        ),
        ("user_a.py", "--config.optm.b2=1", ("unknown config field 'optm'. Did you mean \"optim\"",)),
        ("user_a.py", "--config.optim.zzz=1", ("unknown config field 'zzz'",)),
        ("user_a.py", "--config.optim.learning_rate=fast", ("learning_rate", "fast")),
        ("user_a.py", "--config.train.epochs=2.5", ("epochs", "2.5")),
        ("user_a.py", "--confog.train.epochs=2", ("confog",)),
        ("user_a.py", "stray", ("stray",)),
        ("user_a.py:modle=gru", "", ("'modle'", "'model'")),
        ("user_a.py:model=rnn", "", ("model=rnn", "lstm, gru, transformer")),
        ("user_a.py:tiny=perhaps", "", ("tiny", "perhaps", "yes or no")),
        ("own_log.py", "", ("path=LOG",)),
        ("user_b.py", "", ("configs/user_b.py", "did you mean configs/user_a.py")),
        ("user_b.py", "--config.train.epochs=1", ("configs/user_b.py", "did you mean configs/user_a.py")),
        ("user_a.py:tiny", "--config.split.kind=leave_on_out", ("leave_on_out", "leave_one_out")),
        ("user_a.py:tiny", "--config.heads.interest=1.0", ("heads.interest",)),
    ],
)
def test_wrong_settings(train, config, argument, words):
    train(config, *filter(None, [argument]), words=words)


def break_file(kind: str, path):
    text = item_log(path).read_text()
    match kind:
        case "missing":
            path.unlink()
        case "no_item":
            path.write_text(text.replace("user,item,", "user,what,"))
        case "empty":
            path.write_bytes(b"")
        case "only_header":
            path.write_text(text.splitlines()[0] + "\n")
        case "cyrillic":
            path.write_bytes(text.replace("item 3", "Красный товар").encode("cp1251"))
        case "gzip":
            path.write_bytes(gzip.compress(text.encode())[:-200])
        case "bad_times":
            path.write_text("user,item,time\na,b,never\n")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", ("does not exist",)),
        ("no_item", ("column for the item", "data.columns.item")),
        ("empty", ("empty",)),
        ("only_header", ("not one row",)),
        ("cyrillic", ("not UTF-8", "data.encoding")),
        ("gzip", ("cut off or damaged",)),
        ("bad_times", ("not one time", "'never'", "data.time_unit")),
    ],
)
def test_unreadable_logs(train, tmp_path, kind, words):
    break_file(kind, tmp_path / "log.csv")
    train(f"own_log.py:path={tmp_path / 'log.csv'},tiny", words=words)


@pytest.mark.parametrize("name", ["evaluate", "predict", "forecast"])
def test_a_folder_that_is_no_run(script, tmp_path, name):
    log = item_log(tmp_path / "log.csv")
    more = [f"--events={log}", f"--out={tmp_path / 'p.csv'}"] if name == "predict" else []
    for workdir in (tmp_path, tmp_path / "nowhere"):
        assert_explained(script(name, f"--workdir={workdir}", *more), "is not a run", "trajectory train")
        assert list(tmp_path.iterdir()) == [log]


def test_a_run_without_a_checkpoint(script, tmp_path):
    """Killed before its first epoch ended."""
    from trajectory.presets import user_a
    from trajectory.training import experiment

    config = user_a.get_config("tiny")
    config.data.prepared_dir = str(tmp_path / "prepared")
    run = tmp_path / "run"
    run.mkdir()
    experiment.save_config(config, run / "config.json")
    (run / "data.json").write_text(json.dumps(experiment.describe_data(experiment.build(config))))
    assert_explained(script("evaluate", f"--workdir={run}"), "no checkpoint")
    assert not (run / "evaluation.json").exists()


OUT_OF_RANGE = {
    "predict --workdir=x --events=y --top=0": "expected at least 1",
    "predict --workdir=x --events=y --steps=0": "expected at least 1",
    "forecast --workdir=x --users=-1": "expected at least 0",
    "forecast --workdir=x --steps=0": "expected at least 1",
    "explain --workdir=x --at-steps=0": "expected at least 1",
    "explain --workdir=x --at-steps=next": "expected whole numbers with commas between",
    "migrate --workdir=x --window=nan": "expected more than 0",
    "migrate --workdir=x --permutations=few": "expected a whole number, at least 99",
    "migrate --workdir=x --false-discovery-rate=1": "expected more than 0 and less than 1",
    "insights --workdir=x --parts=recomend": "expected one of changes, customers, recommend",
    "evaluate --workdir=x --multi-step=both": "expected one of direct, sampled",
    "search --config=user_a --search=search --out=x --trials=0": "expected at least 1",
    "sweep --config=user_a --sweep=backbone --out=x --seeds=": "expected whole numbers with commas between, such as",
    "measure-types --config=user_a --out=x --seeds=a": "expected whole numbers with commas between",
    "measure-conversions --out=x --units=visit": "expected one of user, session, cart",
    "measure-demand --simulate=-1": "expected at least 0",
    "synthesize --users=-1": "expected at least 1",
    "train --config=user_a --workdir=x --process=1": "expected less than --processes=1",
    "train --workdir=x --config=user_a --config.train.epochs=-3": "train.epochs=-3: expected at least 0",
    "prepare --config=user_a --config.data.cleaning.min_user_events=0": "expected at least 1",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_number_that_a_command_takes_has_limits(name):
    """In a process of its own: its flags are defined once."""
    program = (
        "import sys; from absl import flags; sys.argv = ['x']; from importlib import import_module\n"
        f"module = 'trajectory.cli.{module(name)}'; import_module(module)\n"
        "for flag in flags.FLAGS.flags_by_module_dict().get(module, []):\n"
        "    numbers = isinstance(flag.value, int | float) and not isinstance(flag.value, bool)\n"
        "    assert not numbers or hasattr(flag.parser, 'allowed'), flag.name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_flags_that_are_required_or_out_of_range(script, tmp_path):
    assert_explained(script("evaluate"), "--workdir")
    assert_explained(script("bench", "--only=million,steps"), "--only=steps", "prepare, preparation, input, step")
    for flags, words in OUT_OF_RANGE.items():
        name, *others = flags.split()
        assert_explained(script(name, *others), others[-1].removeprefix("--config."), words)
    wrong = script("predict", "--workdir=x", "--events=y", f"--out={tmp_path / 'p.xlsx'}")
    assert_explained(wrong, ".parquet, .csv, .json")
    wrong = script("predict", "--workdir=x", "--events=y", f"--out={tmp_path / 'no' / 'p.csv'}")
    assert_explained(wrong, "does not exist")
