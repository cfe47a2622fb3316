from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import polars as pl
import pytest

from tests.explain.cases import HISTORIES, ITEMS, LENGTH, run_of
from trajectory.data.pipeline.featurize import row_length
from trajectory.expected import AttributionMethod
from trajectory.explain import explain
from trajectory.explain.explain import Explainer, attribution_table
from trajectory.explain.targets import Target
from trajectory.inference.new_users import whole_histories
from trajectory.schema import UserError

pytestmark = pytest.mark.compiled_quickly

QUERIES = whole_histories(HISTORIES)


def rows_of(explainer: Explainer, steps=(1,)) -> pl.DataFrame:
    return pl.concat(
        attribution_table(batch, HISTORIES, explainer.target, "m")
        for batch in explainer.attributions(HISTORIES, QUERIES, steps)
    )


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
def test_a_row_for_each_input_of_each_event_that_add_up_to_the_forecast(tmp_path, backbone: str) -> None:
    explainer = Explainer(run_of(tmp_path, backbone, completeness_error=1e-3), Target("interest"))
    rows = rows_of(explainer, (1, 2))
    assert len(rows) == HISTORIES.num_events * 2 * len(set(rows["feature"]))
    assert {"item", "event_type", "gap"} <= set(rows["feature"])
    far = {}
    for batch in explainer.attributions(HISTORIES, QUERIES, (1, 2)):
        for row, user in enumerate(batch.queries.user):
            far[f"u{user}", batch.step] = (batch.attribution.forecast - batch.attribution.reference_forecast)[row]
    told = pl.col("log_probability", "base_value").unique().item()  # one of each forecast
    sums = rows.group_by("user", "step").agg(pl.col("value").sum(), told)
    assert len(sums) == len(far) == 2 * HISTORIES.num_users
    for user, step, value, log_probability, base_value in sums.iter_rows():
        assert value == pytest.approx(far[user, step], rel=5e-3, abs=1e-3)
        assert value == pytest.approx(log_probability - base_value, rel=5e-3, abs=1e-3)
    first = rows.filter(pl.col("user") == "u1", pl.col("step") == 1, pl.col("feature") == "item")
    events = slice(*HISTORIES.offsets[1:3])
    assert first["event"].to_list() == list(range(events.stop - events.start))
    assert first["item"].to_list() == [f"i{i}" for i in HISTORIES.item[events]]
    assert first["time"].dt.epoch("s").to_list() == HISTORIES.time[events].tolist()
    assert first["interest"].to_list() == [f"c{i}" for i in HISTORIES.item_interest[HISTORIES.item[events]]]


def test_attributions_of_a_log_without_times_can_be_written(tmp_path) -> None:
    explainer = Explainer(run_of(tmp_path, method="gradient_times_input"), Target("interest"))
    timeless = replace(HISTORIES, has_time=False)
    (batch, *_) = explainer.attributions(HISTORIES, QUERIES, (1,))
    rows = attribution_table(batch, timeless, explainer.target, "m")
    rows.write_parquet(tmp_path / "rows.parquet")
    assert pl.read_parquet(tmp_path / "rows.parquet")["time"].null_count() == len(rows) > 0


def test_each_user_s_most_likely_or_what_is_named_is_explained(tmp_path) -> None:
    most_likely = rows_of(Explainer(run_of(tmp_path, method="gradient_times_input"), Target("interest")))
    assert most_likely["target"].n_unique() > 1
    named = rows_of(Explainer(run_of(tmp_path, method="gradient_times_input"), Target("interest", 3)))
    assert set(named["target"]) == {"c3"}
    moved = rows_of(Explainer(run_of(tmp_path, method="gradient_times_input"), Target("migration", 1, 2)))
    assert set(moved["target"]) == {"c2 > c1"}


@pytest.mark.parametrize("name", ["expected_gradients", "smooth_gradients", "saliency", "occlusion", "shapley"])
def test_every_method_gives_attributions(tmp_path, name: str) -> None:
    rows = rows_of(Explainer(run_of(tmp_path, method=name, samples=8), Target("item")))
    assert np.isfinite(rows["value"].to_numpy()).all()
    assert rows["value"].abs().max() > 0


def test_unknown_methods_and_steps_are_refused(tmp_path) -> None:
    names = ", ".join(get_args(AttributionMethod))
    with pytest.raises(UserError, match=f"'magic' is unknown; expected one of {names}$"):
        Explainer(run_of(tmp_path, method="magic"), Target("item"))
    with pytest.raises(UserError, match="predicts 1 to 2"):
        rows_of(Explainer(run_of(tmp_path), Target("item")), (3,))


def test_histories_that_fit_into_rows_of_one_length_are_read_together(tmp_path, monkeypatch) -> None:
    def lengths() -> list[list[int]]:
        found = Explainer(run_of(tmp_path), Target("item")).forecasts(HISTORIES, QUERIES)
        return [(batch.queries.stop - batch.queries.start).tolist() for batch in found]

    every = sorted(np.diff(HISTORIES.offsets).tolist())
    assert lengths() == [every]
    monkeypatch.setattr(explain, "ROWS", 1)  # then on up to the length of the rows that the first needs
    together = lengths()
    assert [length for some in together for length in some] == every
    assert 1 < len(together) < len(every)
    assert all(row_length(some[0], LENGTH) == row_length(some[-1], LENGTH) for some in together)
    for limit, most in (("MAX_ROWS", 2), ("PROBABILITIES", 2 * (ITEMS + 1)), ("EVENTS", 2 * LENGTH)):
        with monkeypatch.context() as patch:
            patch.setattr(explain, limit, most)
            patch.setattr(explain, "ROWS", len(every))
            assert max(map(len, lengths())) == 2


def test_what_no_head_has_learned_is_refused(tmp_path) -> None:
    run = run_of(tmp_path)
    run.config.heads.update({"item": 0.0, "interest": 0.0, "conversion": 1.0})
    for kind in ("item", "interest", "migration"):
        with pytest.raises(UserError, match=f"target {kind}: no head of this run has learned it"):
            Explainer(run, Target(kind))
    Explainer(run, Target("conversion"))
