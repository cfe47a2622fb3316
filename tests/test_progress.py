from __future__ import annotations

from trajectory import progress as module
from trajectory.progress import progress


def test_a_log_file_hears_of_what_takes_long(capsys, monkeypatch):
    assert list(progress(range(3), "quick")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "SECONDS", 0)
    assert list(progress(range(3), "slow, test", 3)) == [0, 1, 2]
    assert "slow, test" in capsys.readouterr().err
