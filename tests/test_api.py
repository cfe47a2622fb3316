"""`import trajectory` does nothing yet offers everything; the README's example and docs/api.md are true."""

import inspect
import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest

import trajectory as tj
from tests.api_page import KINDS, functions, of_run, page
from tests.cli.logs import item_log
from tests.examples import run_example
from trajectory import api_evaluation, main_job
from trajectory.results.result import Result
from trajectory.run import Run
from trajectory.training import logging, loop
from trajectory.training.parallel import Parallel

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Events to learn from, and those of two new users."""
    log = item_log(tmp_path_factory.mktemp("log") / "log.csv")
    events = pl.read_csv(log).with_columns(
        category=pl.format("kind {}", pl.col("item").str.slice(5).cast(pl.Int64) % 3)
    )
    new = events.filter(pl.col("user").is_in(["u000", "u001"])).drop("category")
    return events, new.with_columns(user=pl.col("user").replace({"u000": "ann", "u001": "bob"}))


@pytest.fixture(scope="module")
def example(frames, tmp_path_factory):
    """What the README's example leaves, run as it stands."""
    (block,) = re.findall(r"```python\n(import trajectory as tj\n.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len([line for line in block.splitlines() if line.strip()]) == 5
    events, new = frames
    left = {"events": events.to_pandas(), "new_events": new}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("readme"))
        exec(block, left)
        left["run"] = tj.load_run(Path("runs/shop").resolve())
        yield left


def test_a_prepared_log_shows_what_is_trained_and_what_is_assigned_stays(frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = tj.prepare(frames[0], model="gru")
    assert log.config.auto_config == "auto"
    assert log.config.train.epochs == 60, "what the data decides, not the default of 20"
    log.config.train.epochs, log.config.model.width = 1, 8
    trained = tj.train(log, "runs/assigned").config
    assert trained.by_hand == ("model.width", "train.epochs")
    for name in ("batch", "heads", "train"):
        assert trained[name] == log.config[name]
    assert trained.optim.warmup_steps < log.config.optim.warmup_steps, "a fifth of one epoch, not of 60"
    assert (trained.model.width, trained.model.layers) == (8, (16,))
    tiny = tj.prepare(frames[0], model="gru", tiny=True).config
    assert tiny.train.epochs > 2, "as many as train.min_steps needs"


def test_the_warm_up_that_a_prepared_log_shows_is_what_training_takes(example):
    shown, trained = example["log"].config.optim, example["run"].config.optim
    assert shown == trained
    assert 0 < shown.warmup_steps < 100
    assert "optim.warmup_steps" not in example["run"].config.by_hand


def test_a_log_that_cannot_be_trained_on_is_looked_at(frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = tj.prepare(frames[0].unique("user"))
    assert any(note.startswith("training: split.kind=leave_one_out needs") for note in log.notes)


def test_an_import_loads_nothing_and_changes_nothing():
    code = "import json, os, sys; before = dict(os.environ); import trajectory; "
    code += "print(json.dumps([sorted(sys.modules), dir(trajectory), before == dict(os.environ)]))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, names, same = json.loads(ran.stdout)
    assert not {"jax", "polars", "numpy", "tensorflow", "altair", "absl"} & {*modules}
    assert [name for name in modules if name.startswith("trajectory")] == ["trajectory"]
    assert names == sorted(tj.__all__)
    assert same
    assert ran.stderr == ""


def test_docstrings_say_what_is_taken_returned_and_raised_with_an_example():
    for name, thing in {**functions(), **of_run(), "write": Result.write}.items():
        text = inspect.getdoc(thing)
        assert "\nExample:\n" in text, name
        assert "UserError" in text or name in ("checkpoint",), name
        if inspect.isfunction(thing):
            assert "\nReturns " in text, name
            told = re.findall(r"^  (\w[\w, ]*): ", text.partition("Args:\n")[2], re.MULTILINE)
            taken = [parameter for parameter in inspect.signature(thing).parameters if parameter != "self"]
            assert ", ".join(told) == ", ".join(taken), name


def test_every_name_is_there_and_no_other():
    for name in tj.__all__:
        assert callable(getattr(tj, name)) or name == "__version__", name
    kinds = [item for module in KINDS for item in vars(module).items()]
    named = {name for name, kind in kinds if getattr(kind, "COLUMNS", None)}
    assert {name for name in named if not name.startswith("_")} < {*tj.__all__}
    assert tj.__version__ == version("interest-trajectory")
    with pytest.raises(AttributeError, match="no attribute 'tran'"):
        _ = tj.tran


def test_baselines_is_a_function_beside_the_package_of_that_name():
    import trajectory.baselines.next_item

    assert callable(tj.baselines)
    assert tj.baselines.__name__.endswith("baselines")
    assert trajectory.baselines.next_item.baselines


def test_the_page_of_the_interface_is_up_to_date():
    assert (ROOT / "docs" / "api.md").read_text() == page(), "write it anew: python -m tests.api_page > docs/api.md"


def test_what_a_run_offers_is_what_the_page_documents(example):
    text = (ROOT / "docs" / "api.md").read_text()
    run = example["run"]
    assert [name for name in dir(run) if f"`{name}`" not in text and f"### run.{name}\n" not in text] == []
    assert {"predict", "forecast", "config", "workdir", "step"} <= {*dir(run)}


def test_the_readme_s_example_runs_as_it_stands(example):
    log, run = example["log"], example["run"]
    assert log.frame.columns == list(log.COLUMNS)
    assert log.frame.height == 616
    assert {"quarantine"} == log.tables.keys()
    assert run.predict(example["new_events"], top=3).frame["user"].unique().sort().to_list() == ["ann", "bob"]


@pytest.mark.parametrize(
    "thing",
    [
        *(tj.preset, tj.prepare, tj.train, tj.load_run, tj.sweep, tj.search),
        *(Run.predictor, Run.predict, Run.forecast, Run.explain, Run.embeddings, Run.checkpoint),
    ],
)
def test_the_examples_of_docstrings_run_as_they_stand(example, made_up_program, thing):
    run_example(thing, {"tj": tj, **example})


def test_the_examples_of_results_run_as_they_stand(example):
    result = example["run"].predict(example["new_events"])
    for method in (Result.to_pandas, Result.write):
        run_example(method, {"result": result})


def test_a_frame_is_prepared_once_and_its_run_can_be_repeated(example, frames):
    again = tj.prepare(frames[0].to_pandas(), model="gru", tiny=True)
    assert again.config.data.source == example["log"].config.data.source
    assert Path(again.config.data.source).parent == Path("prepared/frames")
    assert tj.train(again.config, "runs/shop").step == example["run"].step


def test_a_prepared_log_is_swept_and_searched_with_its_settings(example, made_up_program):
    log = tj.prepare(example["events"], model="gru", tiny=True, settings={"train.monitor": "ndcg@10"})
    swept = tj.sweep(log, "backbone", "runs/own_backbones", seeds=[0], settings={"train.epochs": 1})
    assert swept.frame["name"].to_list()[:4] == ["lstm", "gru", "transformer", "hybrid"]
    config = json.loads(Path("runs/own_backbones/lstm_0/sweep.json").read_text())["asked"]
    assert (config["model"]["backbone"], config["train"]["epochs"], config["train"]["monitor"]) == (
        "lstm",
        1,
        "ndcg@10",
    )
    assert config["data"]["source"] == log.config.data.source
    rate = {"optim.learning_rate": 0.5}
    assert tj.search(log, lambda trial: rate, "runs/own_rates", trials=1).frame["state"].to_list() == ["complete"]


def test_a_search_in_which_nothing_can_be_trained_says_why(made_up_program, tmp_path):
    with pytest.raises(tj.UserError, match="unknown config field 'lr'"):
        tj.search("user_a", lambda trial: {"optim.lr": 1}, tmp_path / "rates", trials=1)


def test_training_works_in_a_thread_that_takes_no_signals(example):
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(tj.train, example["log"].config, "runs/shop").result()
    assert run.step == example["run"].step


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_training_that_a_signal_stops_says_so_and_the_same_call_goes_on(
    example, tmp_path, monkeypatch, number, raised
):
    config, records = example["log"].config, logging.read(example["run"].workdir / "metrics.jsonl")
    first = next(record["step"] for record in records if "validation/loss" in record)

    class Stopped(Parallel):
        def step(self, state, batch):
            if int(state.step) == first:
                os.kill(os.getpid(), number)
            return super().step(state, batch)

    with monkeypatch.context() as patch:
        patch.setattr(loop.parallel, "Parallel", Stopped)
        with pytest.raises(raised) as stop:
            tj.train(config, tmp_path / "run")
    assert str(stop.value) == "143" or "was stopped and is saved" in str(stop.value)
    assert json.loads((tmp_path / "run" / "training.json").read_text())["stopped_by"] == number.name
    assert tj.load_run(tmp_path / "run").step == first, "what was learned can be used"
    run = tj.train(config, tmp_path / "run")
    assert run.step == example["run"].step
    assert run.predict(example["new_events"]).frame.equals(example["run"].predict(example["new_events"]).frame)


def test_the_main_job_ends_where_its_training_is_stopped(example, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(main_job, "learn", lambda config, workdir: {"finished": True, "stopped_by": "SIGTERM"})
    with pytest.raises(SystemExit, match="143"):
        tj.quickstart(example["log"].config, tmp_path)
    assert f"training in {tmp_path} was stopped and is saved; the same command goes" in capsys.readouterr().out


def test_a_run_finds_its_log_from_any_folder(example, monkeypatch):
    workdir = example["run"].workdir
    assert not Path(example["run"].config.data.source).is_absolute()
    monkeypatch.chdir("/")
    again = tj.load_run(workdir)
    assert again.experiment.histories.num_events == 616
    assert not Path("/prepared").exists()


def test_what_a_run_says_has_the_documented_columns(example):
    run, new = example["run"], example["new_events"]
    for result in (
        run.forecast(new, steps=2),
        run.explain(new, "item"),
        run.embeddings(),
        run.embeddings("users", new),
    ):
        assert result.frame.height
        columns = result.frame.columns
        assert columns == [name for name in result.COLUMNS if name in columns], type(result)


def test_evaluation_baselines_and_comparison_agree(example):
    run = example["run"]
    with pytest.raises(tj.UserError, match=r"evaluation\.json is missing"):
        _ = run.evaluation
    evaluation = run_example(tj.evaluate, {"tj": tj, "run": run})["evaluation"]
    for thing in (api_evaluation.baselines, tj.compare, tj.ensemble, Run.evaluation, Run.protocol):
        run_example(thing, {"tj": tj, "run": run})
    assert evaluation.frame.equals(run.evaluation.frame)
    assert run.protocol["split"] == "leave_one_out"
    assert any("60 users" in note for note in evaluation.notes)
    counted = evaluation.frame.filter(pl.col("method") != "model")
    assert tj.baselines(run).frame.sort(counted.columns).equals(counted.sort(counted.columns))
    assert (counted["low"] <= counted["value"]).all()
    assert any("no p can be below 0.0196" in note for note in evaluation.notes), "of 50 resamples"
    compared = tj.compare([run, run.workdir]).frame
    assert compared["run"].unique().sort().to_list() == [str(run.workdir), "runs/shop"], "named from here, or as given"
    both = compared.filter(metric="ndcg@10")["value"].to_list()
    ours = evaluation.frame.filter(part="test", method="model", metric="ndcg@10")["value"].item()
    assert both == [ours, ours]
    other = compared[compared.height // 2 :]
    assert other.filter(other["difference"].is_not_null()).select(
        "difference", "low", "high", "p_value"
    ).unique().rows() == [(0.0, 0.0, 0.0, 1.0)]
    with pytest.raises(tj.UserError, match="expected two runs or more to compare, got 1"):
        tj.compare([run])
    with pytest.raises(tj.UserError, match=r"expected one run, got 2; ensemble\(\) evaluates several as one"):
        tj.evaluate([run, run])
    with pytest.raises(tj.UserError, match="combine='mean': expected one of probabilities, ranks"):
        tj.ensemble([run], "out", combine="mean")


def test_settings_by_hand_are_checked_and_kept():
    config = tj.preset("user_a:model=gru", {"train.epochs": 3})
    assert (config.train.epochs, config.by_hand) == (3, ("train.epochs",))
    with pytest.raises(tj.UserError, match=r"no field train\.epoch; did you mean train\.epochs"):
        tj.preset("user_a", {"train.epoch": 3})
    with pytest.raises(tj.UserError, match=r"train\.epochs='many': expected a value of type int"):
        tj.preset("user_a", {"train.epochs": "many"})
    with pytest.raises(tj.UserError, match="there is no preset 'user_b'; did you mean user_a"):
        tj.preset("user_b")


MISTAKES = {
    "top": (lambda run, new: run.predict(new, top=-1), "top=-1: expected a whole number of at least 1"),
    "part of top": (lambda run, new: run.predict(new, top=1.5), "top=1.5: expected a whole number"),
    "no top": (lambda run, new: run.predict(new, top=0), "top=0: expected a whole number of at least 1"),
    "top in words": (lambda run, new: run.predict(new, top="3"), "top='3': expected a whole number"),
    "user": (
        lambda run, new: run.predict(new, single_user="bob"),
        "single.user=.?bob.?: .* has its users in its column user; leave it out",
    ),
    "no path": (lambda run, new: run.predict(""), "expected the path of a log, got an empty text"),
    "no columns": (lambda run, new: run.predict(pl.DataFrame()), "the data frame is empty: it has neither columns nor"),
    "no users": (
        lambda run, new: run.predict(new.drop("user")),
        "^new users' events are read as the run's own log.* all is of --single-user=ID.*expected a column for",
    ),
    "users": (lambda run, new: run.forecast(users=-5), "users=-5: expected a whole number of at least 1"),
    "users of events": (lambda run, new: run.forecast(new, users=3), "users=3 are of the run's own log; leave them"),
    "users explained": (lambda run, new: run.explain(new, users=["ann"]), r"users=\['ann'\] are of the run's own log"),
    "one user": (
        lambda run, new: run.explain(users="ann"),
        r"users='ann': expected a list with something in it, such as \[\"ann\", \"bob\"\]",
    ),
    "no users named": (lambda run, new: run.forecast(users=[]), r"users=\[\]: expected a list with something in it"),
    "no steps explained": (lambda run, new: run.explain(at_steps=[]), r"at_steps=\[\]: expected a list with something"),
    "metrics swept": (
        lambda run, new: tj.sweep("user_a", "backbone", "x", metrics=["ndgc@10"]),
        "metrics: 'ndgc@10' is unknown; expected such as ndcg@10",
    ),
    "part": (lambda run, new: run.write_insights("segments"), r"parts='segments': expected a list, such as"),
    "no seeds": (lambda run, new: tj.sweep("user_a", "backbone", "x", seeds=[]), r"seeds=\[\]: expected a list with"),
    "nobody": (lambda run, new: run.explain(users=["nobody"]), "user nobody: not among the"),
    "items of events": (lambda run, new: run.embeddings("items", new), "events are for vectors of users"),
    "config and more": (lambda run, new: tj.prepare(run.config, model="gru"), "a config says all of this itself"),
    "other parts": (lambda run, new: run.write_insights(["demand"], price=(1, 2)), "are for the part recommend"),
    "method": (lambda run, new: run.explain(new, method="lrp"), "explain.method='lrp' is unknown; expected one of"),
    "target": (
        lambda run, new: run.explain(new, "foo"),
        "one by its name: item=ID, interest=NAME, migration=NAME>NAME",
    ),
    "steps": (lambda run, new: run.forecast(new, steps=0), "steps=0: expected a whole number of at least 1"),
    "part of steps": (lambda run, new: run.forecast(new, steps=1.5), "steps=1.5: expected a whole number"),
    "steps explained": (
        lambda run, new: run.explain(new, at_steps="2"),
        r"at_steps='2': expected a list with something in it, such",
    ),
    "step explained": (
        lambda run, new: run.explain(new, at_steps=0),
        "at_steps=0: expected a whole number of at least 1",
    ),
    "vectors": (lambda run, new: run.embeddings("usrs"), "kind='usrs': expected one of items, users"),
    "one run": (lambda run, new: tj.compare(run), r"expected a list, such as \[run, other\]"),
    "interests": (lambda run, new: run.recommend(interests="tea"), r"interests='tea': expected a list, such as"),
    "stock": (
        lambda run, new: run.recommend(stock=new.select("user")),
        "^stock: a data frame of 19 rows lacks the column item",
    ),
    "config swept": (lambda run, new: tj.sweep(3, "backbone", "x"), "expected a config, .* got int"),
    "members swept": (
        lambda run, new: tj.sweep("user_a", {}, "x"),
        r"members=\{\}: expected a trajectory.tuning.members",
    ),
    "suggest": (lambda run, new: tj.search("user_a", 3, "x"), "suggest=3: expected a function of a trial"),
    "study": (
        lambda run, new: tj.search("user_a", "search", "x", study="s"),
        "study='s': expected a trajectory.tuning",
    ),
    "settings swept": (
        lambda run, new: tj.sweep("user_a", "backbone", "x", settings=["train.epochs=1"]),
        r"settings=\['train.epochs=1'\]: expected fields with their values",
    ),
    "field swept": (
        lambda run, new: tj.sweep("user_a", "backbone", "x", settings={"optim.lr": 1}),
        "there is no field optim.lr; did you mean optim.learning_rate",
    ),
    "seeds": (lambda run, new: tj.sweep("user_a", "backbone", "x", seeds=0), "seeds=0: expected a list"),
    "workers": (lambda run, new: tj.sweep("user_a", "backbone", "x", workers=0), "expected 1 <= --workers <= --cores"),
    "trials": (lambda run, new: tj.search("user_a", "search", "x", trials=0), "trials=0: expected a whole number"),
    "file as folder": (
        lambda run, new: tj.train(run.config, run.workdir / "config.json"),
        "expected a folder",
    ),
    "no steps held out": (
        lambda run, new: tj.evaluate(run, multi_step="direct"),
        "split.kind=leave_last, not",
    ),
    "no config": (lambda run, new: tj.train(None, "x"), "expected a config, such as tj.prepare.*, got NoneType"),
    "settings": (lambda run, new: tj.prepare(new, settings=[1]), r"settings=\[1\]: expected fields with their values"),
    "model": (lambda run, new: tj.prepare(new, model="gruu"), "model='gruu': expected one of gru, lstm"),
    "split": (lambda run, new: tj.prepare(new, split="x"), "split='x': expected one of leave_one_out"),
    "tiny": (lambda run, new: tj.prepare(new, tiny="yes"), "tiny='yes': expected True or False"),
    "epochs": (lambda run, new: tj.prepare(new, settings={"train.epochs": -1}), "train.epochs=-1: expected at least 0"),
    "width": (lambda run, new: tj.prepare(new, settings={"model.width": 0}), "model.width=0: expected at least 1"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_call_is_told_before_the_work(example, name):
    call, said = MISTAKES[name]
    with pytest.raises(tj.UserError, match=said):
        call(example["run"], example["new_events"])


def test_an_event_type_without_a_role_is_named_with_the_field_that_gives_one(frames):
    with pytest.raises(tj.UserError, match=r"all are of the types return.* such as data\.event_types\.return=input"):
        tj.prepare(frames[0].with_columns(event_type=pl.lit("return")))


def test_a_prepared_log_is_trained_on_and_counted_as_its_config_is(example):
    log = example["log"]
    assert tj.baselines(log).frame.equals(tj.baselines(log.config).frame)
    assert tj.train(log, "runs/shop").step == example["run"].step


def test_what_looks_wrong_and_what_items_describe_is_in_the_notes(frames):
    items = pl.DataFrame({"item": ["item 1", "item 2"], "title": ["Tea", "Rice"]})
    notes = tj.prepare(frames[0].drop("category"), items=items).notes
    assert any(note.startswith("item table: describes 2 of the log's") for note in notes)


def test_vectors_of_a_run_with_a_repeat_head_say_what_they_rank(example):
    run = example["run"]
    said = any("repeat head" in note for note in run.embeddings().notes)
    assert said == run.config.model.repeat
    run.config.model.repeat = not said
    assert any("repeat head" in note for note in run.embeddings().notes) != said
    run.config.model.repeat = said


def test_a_forecast_says_why_it_is_not_calibrated_only_where_that_can_be_helped(example):
    notes = example["run"].forecast(example["new_events"], 1).notes
    assert any("only a run of split.kind=leave_last has held-out steps" in note for note in notes)
    assert not any("multi" in note for note in notes)


def test_further_tables_have_the_documented_columns(example):
    log, run = example["log"], example["run"]
    for result in (log, run.predict(example["new_events"]), run.forecast(example["new_events"])):
        for name, table in result.tables.items():
            for column in table.columns:
                assert column in result.TABLES[name] or name == "quarantine", (name, column)


def test_checks_of_types_find_a_name_that_is_not_there_and_a_choice_that_is_none(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "import trajectory as tj\n"
        "log = tj.prepare('log.csv', model='gruu')\n"
        "tj.baselins(log)\n"
        "run: tj.Run = tj.train(log, 'x')\n"
        "made: tj.Predictions = run.predict(3.4)\n"
        "run.embeddings('usrs')\n"
        "tj.evaluate(run, multi_step='dirct')\n"
        "run.forecast('log.csv', steps=3).frame\n"
    )
    command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--follow-imports=silent", str(script)]
    ran = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"MYPYPATH": str(ROOT)}
    )
    lines = {int(line.split(":")[1]) for line in ran.stdout.splitlines() if ": error:" in line}
    assert lines == {2, 3, 5, 6, 7}, ran.stdout


def test_what_a_log_lost_or_never_had_is_told():
    log = pl.DataFrame({"user": ["a", "a", "b", "b", None], "item": ["x", "y", "x", "z", "x"]})
    notes = tj.prepare(log).notes
    assert any(note.startswith("1 row is set aside (tables['quarantine']): 1 missing user") for note in notes)
    assert any(note.startswith("the log has no times") for note in notes)
    with pytest.raises(tj.UserError, match="expected a data frame of items"):
        tj.prepare(log, items="items.csv")
    with pytest.raises(tj.UserError, match=r"train\.epochs=0 measures what is known before training"):
        tj.prepare(log, settings={"train.epochs": 0})
    with pytest.raises(tj.UserError, match="expected different ones"):
        tj.sweep("user_a", "backbone", "runs", seeds=[0, 0])
