"""The benchmark runs what is asked by name and leaves out, with a word, what this machine cannot measure."""

from __future__ import annotations


def test_only_what_is_asked_runs(script, monkeypatch):
    monkeypatch.delenv("TRAJECTORY_TORCH_PYTHON", raising=False)
    ran = script("bench", "--only=recurrent,prepare", "--events=2000")
    assert ran.code == 0, ran.err
    skipped, *_, prepared = ran.out.splitlines()  # between them the table of what was prepared
    assert skipped.startswith("recurrent: skipped; TRAJECTORY_TORCH_PYTHON")
    assert prepared.startswith("prepare: ")
    assert "generation included" in prepared
