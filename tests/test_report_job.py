"""From a log to all pages in one call, and what is decided for that of the log."""

from __future__ import annotations

import polars as pl
import pytest

import trajectory as tj
from tests.cli.logs import item_log
from tests.commands import run
from tests.examples import run_example
from trajectory.data.store.builder import prepare
from trajectory.report_job import decided, tied
from trajectory.settings import set_by_hand
from trajectory.settings.recipes import own_log


def config_of(path, folder, **by_hand):
    config = own_log(str(path), "log", "gru", tiny=True)
    return set_by_hand(config, {"data.prepared_dir": str(folder / "prepared"), **by_hand})


def log_of(folder, rows, header="user,item,time,event_type"):
    path = folder / "log.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_log_becomes_pages_that_lead_to_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=8")  # those of this process
    log = item_log(tmp_path / "log.csv", users=80)
    quiet = ("--config.logging.wandb=no", "--config.logging.tensorboard=no", "--config.train.min_steps=20")
    done = run("report", str(log), "--tiny", "--workdir=r", *quiet)
    assert done.code == 0, done.err
    assert "data.target_types = ('purchase',)  (beside sales the log has view)" in done.out
    pages = {line.rpartition("/")[2] for line in done.out.splitlines() if line.startswith("open ")}
    assert pages == {page.name for page in (tmp_path / "r").glob("*.html")} >= {"report.html", "attributions.html"}
    for page in pages:
        text = (tmp_path / "r" / page).read_text()
        assert all(f'<a href="{other}">' in text for other in pages - {page})
    for name in {"insights.html", "migration.html"} - pages:
        assert f"{name} is left out: " in done.out + done.err, "with the reason"
    assert tj.load_run("r").config.data.target_types == ("purchase",)


def test_the_call_takes_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = tj.prepare(pl.read_csv(item_log(tmp_path / "log.csv")), model="gru", tiny=True)
    log.config.train.min_steps = 20
    monkeypatch.setattr("trajectory.run.Run.write_insights", lambda self, language: self.workdir / "insights.html")
    run_example(tj.report, {"tj": tj, "log": log})


def test_where_sales_are_beside_other_events_they_are_predicted(tmp_path):
    rows = [f"u{n % 9},i{n % 5},2024-01-{1 + n % 28:02} 10:{n:02},{('view', 'purchase')[n % 2]}" for n in range(40)]
    config = config_of(log_of(tmp_path, rows), tmp_path)
    made = decided(config, prepare(config.data))
    assert made.data.target_types == ("purchase",)
    assert (made.split.kind, made.split.target, made.heads.horizon) == ("temporal", "all", 2)
    config = config_of(tmp_path / "log.csv", tmp_path, **{"data.target_types": ("view",)})
    assert decided(config, prepare(config.data)).data.target_types == ("view",), "set by hand"
    only = log_of(tmp_path, [row.replace("view", "purchase") for row in rows])
    config = config_of(only, tmp_path)
    assert decided(config, prepare(config.data)).data.target_types == ()


@pytest.mark.parametrize(("lines", "baskets"), [(1, False), (3, True)])
def test_lines_of_one_time_are_a_basket(tmp_path, lines, baskets):
    rows = [f"u{n % 9},i{k},2024-01-{1 + n % 28:02} 10:00,purchase" for n in range(27) for k in range(lines)]
    config = config_of(log_of(tmp_path, rows), tmp_path)
    histories = prepare(config.data)
    assert tied(histories) == (lines > 1)
    assert decided(config, histories).data.baskets == baskets


def test_a_log_without_times_is_split_by_steps(tmp_path):
    config = config_of(log_of(tmp_path, [f"u{n % 9},i{n % 5}" for n in range(90)], "user,item"), tmp_path)
    made = decided(config, prepare(config.data))
    assert (made.split.kind, made.heads.time) == ("leave_last", 0.0)
