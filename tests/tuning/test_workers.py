"""Commands in parallel: their cores, their logs, and how they are stopped together."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from trajectory.schema import UserError
from trajectory.tuning.workers import Workers, claim, last_lines

SAVES = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("saved", flush=True), sys.exit()))
print("ready", flush=True)
time.sleep(30)
"""


@pytest.fixture
def many_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(2, 9)))
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None)


@pytest.mark.parametrize(
    ("count", "cores", "shares"),
    [(1, 0, [[2, 3, 4, 5, 6, 7, 8]]), (2, 4, [[2, 3], [4, 5]]), (3, 7, [[2, 3], [4, 5], [6, 7, 8]])],
)
def test_cores_are_shared_out(many_cores, count, cores, shares):
    assert Workers(count, cores).shares == shares


@pytest.mark.parametrize(("count", "cores"), [(8, 0), (3, 2), (1, 8), (0, 1)])
def test_cores_that_are_not_there_are_refused(many_cores, count, cores):
    with pytest.raises(UserError, match=r"--workers <= --cores <= 7"):
        Workers(count, cores)


def test_each_command_runs_on_the_cores_of_its_worker(tmp_path):
    mine = os.sched_getaffinity(0)
    workers = Workers(len(mine))
    command = [sys.executable, "-c", "import os, time; print(*os.sched_getaffinity(0)); time.sleep(0.3)"]

    def do(name: str) -> None:
        with claim(tmp_path / name) as log:
            assert workers.call(command, log) == 0

    workers.for_each(do, [str(i) for i in range(len(mine))])
    seen = [int((tmp_path / str(i) / "log.txt").read_text()) for i in range(len(mine))]
    assert set(seen) == mine
    assert os.sched_getaffinity(0) == mine, "this process keeps its own"


def test_a_folder_belongs_to_one_process(tmp_path):
    with claim(tmp_path / "run"), pytest.raises(UserError, match="another process is at work"):
        claim(tmp_path / "run")
    claim(tmp_path / "run").close()


def test_the_last_lines_are_those_of_this_start(tmp_path):
    with claim(tmp_path) as log:
        log.write("before\n")
        log.flush()
        begin = log.seek(0, 2)
        Workers(1).call([sys.executable, "-c", "print('a\\n\\nb'); raise SystemExit(3)"], log)
        assert last_lines(log, begin) == "a\nb"
        assert last_lines(log, begin, 1) == "b"


def test_what_a_job_raises_is_raised_after_the_others(tmp_path):
    done = []

    def do(number: int) -> None:
        if number == 0:
            raise ZeroDivisionError
        done.append(number)

    with pytest.raises(ZeroDivisionError):
        Workers(1).for_each(do, [1, 0, 2])
    assert done == [1]


def test_watching_stops_a_command(tmp_path):
    with claim(tmp_path) as log:
        log_path = tmp_path / "log.txt"
        assert Workers(1).call([sys.executable, "-c", SAVES], log, lambda: "ready" in log_path.read_text()) == 0
    assert log_path.read_text().split() == ["ready", "saved"]


def test_a_signal_lets_commands_save_and_starts_no_more(tmp_path):
    path = tmp_path / "0" / "log.txt"

    def interrupt() -> None:
        while not path.exists() or "ready" not in path.read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    threading.Thread(target=interrupt, daemon=True).start()
    with Workers(1) as workers:

        def do(number: int) -> None:
            with claim(tmp_path / str(number)) as log:
                workers.call([sys.executable, "-c", SAVES], log)

        workers.for_each(do, range(3))
    assert workers.stopped == signal.SIGINT
    with pytest.raises(KeyboardInterrupt, match="stopped; the same command goes on from here"):
        workers.leave_if_stopped()
    assert signal.getsignal(signal.SIGINT) is before
    assert [folder.name for folder in tmp_path.iterdir()] == ["0"]
    assert path.read_text().split() == ["ready", "saved"]
