"""metrics.jsonl always, W&B and TensorBoard when asked for, the picture of the curves."""

from __future__ import annotations

import json
import time

import pytest

from trajectory.settings import base
from trajectory.training import logging
from trajectory.training.logging import MetricsLog


def _config(wandb: bool = False, tensorboard: bool = False):
    config = base("gru")
    config.name, config.logging.wandb, config.logging.tensorboard = "made_up", wandb, tensorboard
    return config


def _log(workdir, resumed_at, steps, **sinks) -> None:
    log = MetricsLog(workdir, _config(**sinks), resumed_at)
    for step in steps:
        log.write(step, step / 2, {"train/loss": 1 / step})
    log.close()


def _steps(workdir) -> list[int]:
    return [record["step"] for record in logging.read(workdir / "metrics.jsonl")]


def test_records_read_back_as_written(tmp_path):
    _log(tmp_path, None, [1, 2, 3])
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == logging.read(tmp_path / "metrics.jsonl")
    assert json.loads(lines[2]) == {"step": 3, "epoch": 1.5, "train/loss": 1 / 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl"]


def test_a_run_without_a_record_has_an_empty_file(tmp_path):
    _log(tmp_path, None, [])
    assert (tmp_path / "metrics.jsonl").read_bytes() == b""
    assert logging.draw_curves(tmp_path, "nothing") is None


def test_a_resumed_run_has_no_step_twice_and_misses_none(tmp_path):
    _log(tmp_path, None, [1, 2, 3, 4])
    _log(tmp_path, 2, [3, 4, 5])
    assert _steps(tmp_path) == [1, 2, 3, 4, 5]
    _log(tmp_path, 5, [])
    assert _steps(tmp_path) == [1, 2, 3, 4, 5]
    _log(tmp_path, None, [1])
    assert _steps(tmp_path) == [1]


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path):
    _log(tmp_path, None, [1, 2, 3])
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text()[:-10])
    assert _steps(tmp_path) == [1, 2]
    _log(tmp_path, 2, [3])
    assert _steps(tmp_path) == [1, 2, 3]


def _scalars(workdir) -> list[tuple[int, str, float]]:
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted((workdir / "tensorboard").glob("events.out.tfevents.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):  # length, its checksum, the event, its checksum
            size = int.from_bytes(data[at : at + 8], "little")
            event = Event.FromString(data[at + 12 : at + 12 + size])
            found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
            at += 16 + size
    return found


def test_tensorboard_gets_a_file_of_events(tmp_path):
    _log(tmp_path, None, [1, 2], tensorboard=True)
    assert _scalars(tmp_path) == [(1, "train/loss", 1.0), (2, "train/loss", 0.5)]


def test_what_test_measures_goes_where_training_logged_once(tmp_path):
    log = MetricsLog(tmp_path, _config(tensorboard=True), None)
    log.write(2, 1, {"validation/loss": 1.0, "validation/seconds": 1.0})
    log.write(4, 2, {"validation/loss": 2.0, "validation/seconds": 1.0})
    log.close()
    for value in (0.25, 0.5, 0.5):
        logging.write_test(tmp_path, _config(), 2, {"auc": value, "ndcg@10": 0.125, "mrr@10": float("nan")})
    assert logging.read(tmp_path / "metrics.jsonl")[2:] == [
        {"step": 2, "epoch": 1, "test/auc": 0.5, "test/ndcg@10": 0.125}
    ]
    found = _scalars(tmp_path)
    assert (4, "validation/loss", 2.0) in found
    assert {(2, "test/auc", 0.5), (2, "test/ndcg_10", 0.125)} <= {*found}, "TensorBoard knows no @"
    _log(tmp_path, 4, [5])
    assert _steps(tmp_path) == [2, 4, 2, 5]


def test_wandb_goes_on_with_one_run_through_resuming_and_evaluation(tmp_path, monkeypatch):
    import wandb

    class Run:
        def __init__(self, **asked) -> None:
            self.asked, self.summary, self.over = asked, {}, False
            runs.append(self)

        def log(self, values, step) -> None:
            pass

        def finish(self) -> None:
            self.over = True

    runs: list[Run] = []
    monkeypatch.setattr(wandb, "login", lambda **_: False)
    monkeypatch.setattr(wandb, "init", Run)
    _log(tmp_path, None, [1], wandb=True)
    _log(tmp_path, 1, [2], wandb=True)
    logging.write_test(tmp_path, _config(wandb=True), 2, {"ndcg@10": 0.5})
    _log(tmp_path, None, [1], wandb=True)
    first, resumed, evaluated, anew = runs
    assert first.asked["id"] == resumed.asked["id"] == evaluated.asked["id"] != anew.asked["id"]
    assert evaluated.summary == {"test/ndcg@10": 0.5}
    assert all(run.over for run in runs)


def test_without_the_packages_metrics_go_to_the_file_and_one_is_told_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(logging, "installed", lambda package: False)
    _log(tmp_path, None, [1, 2], wandb=True, tensorboard=True)
    assert _steps(tmp_path) == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl"]
    said = capsys.readouterr().out
    assert said.count("pip install 'interest-trajectory[tracking]'") == 2


def test_wandb_writes_a_run_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    _log(tmp_path, None, [1, 2], wandb=True)
    (path,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    late = time.monotonic() + 20
    while path.stat().st_size <= 100 and time.monotonic() < late:  # another process writes it, at its own pace
        time.sleep(0.1)
    assert path.stat().st_size > 100
    assert _steps(tmp_path) == [1, 2]


def test_wandb_gets_the_group_of_the_config(tmp_path, monkeypatch):
    import wandb

    asked = {}
    monkeypatch.setattr(wandb, "login", lambda **_: False)
    monkeypatch.setattr(wandb, "init", lambda **given: asked.update(given))
    config = _config(wandb=True)
    for group in ("", "my_sweep"):
        config.logging.group = group
        MetricsLog(tmp_path, config, None)
        assert asked["group"] == (group or None)


@pytest.mark.parametrize(("names", "size"), [(("loss", "accuracy"), (1422, 616)), (("loss",), (703, 616))])
def test_curves_are_a_picture_of_sensible_size(names, size, tmp_path):
    log = MetricsLog(tmp_path, _config(), None)
    for epoch in (1, 2, 3):
        log.write(10 * epoch, epoch, {f"{part}/{n}": 1 / epoch for part in ("train", "validation") for n in names})
    log.close()
    picture = logging.draw_curves(tmp_path, "made up").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(picture[at : at + 4]) for at in (16, 20))
    assert (width, height) == pytest.approx(size, rel=0.05)  # fonts differ
    assert len(picture) > 10_000


def test_a_damaged_line_costs_no_other(tmp_path, capsys):
    _log(tmp_path, None, [1, 2, 3, 4])
    path = tmp_path / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for damaged in (
        lines[1][:9] + b"\n",
        b"\xff\xfe\n",
        b"[1]\n",
        b'{"step": "2"}\n',
        b'{"step": true}\n',
        b"[" * 99_999 + b"\n",
    ):
        path.write_bytes(b"".join([lines[0], damaged, *lines[2:]]))
        assert _steps(tmp_path) == [1, 3, 4]
    _log(tmp_path, 4, [5])
    assert _steps(tmp_path) == [1, 3, 4, 5]
    assert "1 damaged lines are left out" in capsys.readouterr().out


def test_without_a_network_wandb_goes_offline_and_says_so(tmp_path, monkeypatch, capsys):
    import wandb

    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr(wandb, "login", lambda **_: True)  # it asks the network, too, and waits for ten seconds
    monkeypatch.setattr(logging, "PATIENCE_SECONDS", 2)
    _log(tmp_path, None, [1, 2], wandb=True)
    assert "this run is logged offline" in capsys.readouterr().out
    assert list((tmp_path / "wandb").glob("offline-run-*"))
    assert _steps(tmp_path) == [1, 2]
