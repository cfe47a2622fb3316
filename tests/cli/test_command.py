"""What goes wrong around a command costs one sentence, never a traceback; a mistake in the code keeps its own."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from tests.commands import without_beats
from trajectory import faults

LOADING = "from trajectory.cli.main import start; import time; start(); print(1, flush=True); time.sleep(30)"
SCRIPT = """
import os, signal, sys, time
from types import SimpleNamespace
from trajectory.cli import command
from trajectory.cli.main import start
from trajectory.schema import UserError
def main():
    {body}
start()
command.run(SimpleNamespace(main=main), ["made_up"])
"""


def run(body: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", SCRIPT.format(body=body)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("open('/proc/version/x')", 2, "expected a folder there"),
        ("open('/tmp/' + 'x' * 300)", 2, "choose shorter names"),
        ("raise OSError(28, os.strerror(28), 'runs/a.json')", 2, "runs/a.json: No space left on device; there is no"),
        ("raise RuntimeError('write() failed: No space left on device; at byte 8192')", 2, "there is no room"),
        ("raise MemoryError", 2, "not enough memory"),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", 130, "stopped"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 143, "stopped"),
        ("raise UserError('not \\x1b[2J so')", 2, "error: not \ufffd[2J so"),
    ],
)
def test_faults_outside_the_code_are_one_sentence(body, status, words):
    ran = run(body)
    assert ran.returncode == status, ran.stderr
    assert "Traceback" not in ran.stderr
    (said,) = (line for line in ran.stderr.splitlines() if line.startswith("error: "))
    assert words in said


def test_a_mistake_in_the_code_keeps_its_traceback_and_is_called_one():
    ran = run("{}['missing']")
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr
    assert "KeyError: 'missing'" in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("error: this is a mistake in the program")


def test_an_interrupt_while_libraries_are_loaded_has_no_traceback():
    command = [
        sys.executable,
        "-c",
        LOADING,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert said.splitlines()[-1] == f"error: {faults.STOPPED}"
    assert "Traceback" not in said


def test_who_reads_only_the_first_lines_is_told_nothing_of_a_pipe():
    command = [sys.executable, "-c", SCRIPT.format(body="[print('line') for _ in range(100_000)]")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "line\n"
        process.stdout.close()
        assert "pipe" not in process.stderr.read().lower()
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("arguments", ["--help", "train --help", "--version"])
def test_who_reads_no_line_of_a_page_is_told_nothing_of_a_pipe(arguments):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "trajectory", *arguments.split()]
    ran = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (ran.returncode, without_beats(ran.stderr)) == (128 + signal.SIGPIPE, "")


def test_names_that_the_terminal_cannot_show_are_printed_escaped():
    ran = run("print('\\u6f22')", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (ran.returncode, ran.stdout) == (0, "\\u6f22\n")


def test_what_libraries_say_of_a_full_disk_is_known_by_the_system_s_words():
    assert "there is no room" in faults.sentence(ValueError(f"Failed to write: {os.strerror(errno.ENOSPC)}"))
    assert "choose another folder" in faults.sentence(OSError(f"polars: {os.strerror(errno.EROFS)}"))
    assert "12 requested and 0 written" in faults.sentence(OSError("12 requested and 0 written"))
    assert not faults.sentence(ValueError("a mistake"))
    assert not faults.sentence(KeyError("No"))
