"""Steps that a log cannot have are left out, and if none is left the reasons are told once."""

from __future__ import annotations

import pytest

from tests.builders import fake_run
from trajectory.insights import registry
from trajectory.insights.report_model import Part
from trajectory.schema import UserError


def refused(run):
    raise UserError("too few users")


def test_a_step_that_cannot_be_had_is_left_out_with_the_reason(monkeypatch):
    monkeypatch.setattr(registry.segments, "build_segments", refused)
    monkeypatch.setattr(registry.demand, "build_demand", lambda run: Part("demand", "Demand", (), (), {}))
    heard = []
    parts = registry.build_parts(fake_run(), ("segments", "demand"), say=heard.append)
    assert parts[0].measured == {"left_out": "too few users"}
    assert heard[-1] == "segments is left out: too few users"


def test_where_nothing_is_left_each_reason_is_told_once(monkeypatch, tmp_path):
    monkeypatch.setattr(registry.segments, "build_segments", refused)
    monkeypatch.setattr(registry.demand, "build_demand", refused)
    heard = []
    with pytest.raises(UserError, match="nothing is left") as error:
        registry.build_parts(fake_run(workdir=tmp_path), ("segments", "demand"), say=heard.append)
    told = "\n".join([*heard, str(error.value)])
    assert told.count("segments is left out: too few users") == told.count("demand is left out: too few users") == 1
