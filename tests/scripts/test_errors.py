"""A user's mistake ends with one clear sentence and exit status 2; nothing half-written is left behind."""

from __future__ import annotations

import pytest

from tests.scripts.conftest import ROOT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config=configs/user_a.py", "--config.optim.learningrate=1"], "learning_rate"),
        (["--config=configs/user_a.py", "--config.train.epochs=many"], "invalid literal for int"),
        (["--config=configs/user_a.py:modle=gru"], "did you mean 'model'"),
        (["--config=configs/user_a.py:model=rnn"], "expected one of lstm, gru, transformer"),
        (["--config=configs/own_log.py"], "path=LOG"),
        (["--config=configs/own_log.py:path={here}/none.csv"], "does not exist"),
        (["--config=configs/own_log.py:path={here}/empty.csv"], "empty"),
        (["--config=configs/own_log.py:path={here}/columns.csv"], "a, b"),
    ],
)
def test_training_refuses(script, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(ROOT)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "columns.csv").write_text("a,b\n1,2\n")
    filled = [text.replace("{here}", str(tmp_path)) for text in arguments]
    prepared = [] if "configs/user_a.py" in arguments[0] else [f"--config.data.prepared_dir={tmp_path / 'prepared'}"]
    ran = script("train", *filled, f"--workdir={tmp_path / 'run'}", *prepared)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["evaluate", "forecast", "export"])
def test_a_folder_that_is_no_run_is_refused(script, tmp_path, name):
    ran = script(name, f"--workdir={tmp_path}")
    assert ran.code == 2
    assert "is not a run" in ran.err
    assert not list(tmp_path.iterdir())
