from __future__ import annotations

import sys
import time

from trajectory import progress as module
from trajectory.progress import heartbeat, progress, working


class Watched:
    """stderr that tells when something was written."""

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


def test_a_log_file_hears_of_what_takes_long(capsys, monkeypatch):
    assert list(progress(range(3), "quick")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "SECONDS", 0)
    assert list(progress(range(3), "slow, test", 3)) == [0, 1, 2]
    assert "slow, test" in capsys.readouterr().err


def test_a_log_file_gets_lines_and_nothing_that_is_written_over(monkeypatch):
    """Bars, bars within them and what goes on in silence."""
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
    assert all(line.startswith(("working: ", "outer: ", "inner: ")) for line in lines)
    assert {line.split(":")[0] for line in lines} == {"working", "outer", "inner"}


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
