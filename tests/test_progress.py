from __future__ import annotations

import logging
import sys
import time

import pytest

from trajectory import progress as module
from trajectory.progress import heartbeat, progress, working


class Watched:
    """A terminal, or a file, that tells when something was written."""

    def __init__(self, terminal: bool = True) -> None:
        self.text, self.terminal = "", terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return self.terminal

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + 60
        while text not in self.text:
            assert time.monotonic() < until, f"{text!r} was not said: {self.text!r}"
            time.sleep(0.005)


@pytest.fixture
def asked():
    """Messages are asked for, as commands do."""
    logger = logging.getLogger("trajectory")
    before = logger.level
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(before)


def test_a_log_file_hears_of_what_takes_long(capsys, monkeypatch, asked):
    assert list(progress(range(3), "quick")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "SECONDS", 0)
    assert list(progress(range(3), "slow, test", 3)) == [0, 1, 2]
    assert "slow, test" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_is_shown_where_messages_are_not_asked_for(monkeypatch, asked, terminal):
    monkeypatch.setattr(module, "SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", watched := Watched(terminal))
    assert list(progress(range(3), "shown", 3)) == [0, 1, 2]
    assert "shown" in watched.text
    watched.text = ""
    asked.setLevel(logging.WARNING)
    assert list(progress(range(3), "not shown", 3)) == [0, 1, 2]
    assert (watched.text, module.bars_hidden()) == ("", True)


def test_a_log_file_gets_lines_and_nothing_that_is_written_over(monkeypatch, asked):
    """Bars and bars within them, and what goes on in silence."""
    monkeypatch.setattr(module, "SECONDS", 0.02)
    monkeypatch.setattr(sys, "stderr", watched := Watched(terminal=False))
    with heartbeat("working"):
        watched.wait_for("working: ")
        monkeypatch.setattr(module, "SECONDS", 0)
        for _ in progress(range(2), "outer"):
            assert list(progress(range(3), "inner", 3)) == [0, 1, 2]
    lines = watched.text.splitlines()
    assert watched.text.endswith("\n")
    assert "\r" not in watched.text
    assert "\x1b" not in watched.text
    assert {line.split(":")[0] for line in lines} == {"working", "outer", "inner"}


def test_no_silence_is_long_in_a_log_file_however_often_what_is_done_changes(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.2)
    monkeypatch.setattr(sys, "stderr", watched := Watched(terminal=False))
    with heartbeat("working"):
        for _ in range(20):
            with working("a short part"):
                time.sleep(0.1)
    assert 5 <= len(watched.text.splitlines()) <= 10  # of 2 s


def test_what_goes_on_in_silence_is_named_until_it_is_over(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.02)
    monkeypatch.setattr(sys, "stderr", watched := Watched())
    with heartbeat("working"):
        watched.wait_for("working: ")
        with working("compiling"):
            watched.wait_for("compiling: ")
    assert watched.text.endswith(f"\r{' ' * len('compiling: 0 s')}\r")  # nothing is left on the line
    said = len(watched.text)
    time.sleep(0.1)
    assert len(watched.text) == said


def test_nobody_reads_stderr_any_more(monkeypatch):
    class Closed(Watched):
        def write(self, text: str) -> int:
            super().write(text)
            raise BrokenPipeError

    monkeypatch.setattr(module, "SECONDS", 0.02)
    monkeypatch.setattr(sys, "stderr", closed := Closed())
    with heartbeat("working"):
        closed.wait_for(" s\r\rworking: ")  # the first fault ended nothing
