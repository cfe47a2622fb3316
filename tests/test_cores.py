"""Cores are this process's own where the system gives it some, else all there are."""

from __future__ import annotations

import os

from trajectory.cores import pin, usable_cores


def test_cores_are_those_of_this_process():
    assert usable_cores() == sorted(os.sched_getaffinity(0))


def test_where_the_system_pins_no_process_all_cores_are_used(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sched_setaffinity")
    assert usable_cores() == list(range(os.cpu_count()))
    pin([0])
