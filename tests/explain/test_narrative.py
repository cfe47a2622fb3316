from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl
import pytest

from tests.explain.cases import HISTORIES, run_of
from trajectory.explain.explain import Explainer
from trajectory.explain.narrative import counterfactuals, display_name, sentences
from trajectory.explain.targets import Target
from trajectory.inference.new_users import whole_histories

MAY, JUNE = datetime(2024, 5, 6, 12), datetime(2024, 6, 6, 12)


def test_sentences_put_together_what_was_done_with_the_same_things() -> None:
    rows = [
        (MAY, "DIAPERS", "purchase", 1.2),
        (JUNE, "DIAPERS", "purchase", 0.5),
        (JUNE, "WINE", "view", -0.61),
        (JUNE, "TOYS", "play", 0.3),
        (JUNE, "SALT", "purchase", 0.01),
    ]
    events = pl.DataFrame(rows, schema=["time", "name", "event_type", "value"], orient="row")
    assert sentences(events, "FOOD", HISTORIES) == [
        ("Bought DIAPERS 2 times since May 2024: +1.7 nats towards FOOD", True),
        ("Play: TOYS on 6 June 2024: +0.3 nats towards FOOD", True),
        ("Viewed WINE on 6 June 2024: −0.6 nats towards FOOD", False),
    ]
    assert sentences(events.head(2), "FOOD", replace(HISTORIES, has_time=False)) == [
        ("Bought DIAPERS 2 times: +1.7 nats towards FOOD", True)
    ]


def test_lines_of_one_basket_are_one_time() -> None:
    rows = [(MAY, "BREAD", "purchase", 1.0), (MAY, "BREAD", "purchase", 1.0), (JUNE, "BREAD", "purchase", 1.0)]
    events = pl.DataFrame(rows, schema=["time", "name", "event_type", "value"], orient="row")
    ((said, _),) = sentences(events, "FOOD", replace(HISTORIES, baskets=True))
    assert said.startswith(f"Bought BREAD {len({time for time, *_ in rows})} times since May 2024")
    ((said, _),) = sentences(events, "FOOD", HISTORIES)
    assert said.startswith("Bought BREAD 3 times")


def test_items_are_shown_by_title_where_they_have_one() -> None:
    titled = replace(HISTORIES, items=HISTORIES.items.with_columns(title=pl.Series(["Tea", None, *"abcd"])))
    assert [display_name(Target("item"), titled, i) for i in (1, 2, 3)] == ["Tea", "i2", "a"]
    assert display_name(Target("item"), HISTORIES, 1) == "i1"
    assert display_name(Target("migration"), titled, 2, 1) == "c1 > c2"


@pytest.mark.parametrize("target", [Target("item"), Target("interest", 2), Target("migration"), Target("conversion")])
def test_counterfactuals_are_forecasts_of_the_history_without_its_strongest_events(tmp_path, target: Target) -> None:
    run = run_of(tmp_path)
    run.config.evaluation.seen = "keep"  # the made-up users have had almost all items
    explainer = Explainer(run, target)
    for batch in explainer.attributions(HISTORIES, whole_histories(HISTORIES)):
        for row, found in enumerate(counterfactuals(explainer, HISTORIES, batch)):
            events = batch.attribution.events[row][np.asarray(batch.inputs.mask)[row]]
            if len(events) <= 2:
                assert found is None
                continue
            assert found["events"] == sorted(np.argsort(-events, kind="stable")[:2])
            assert found["probability_before"] != pytest.approx(found["probability_after"], rel=1e-3)
            if target.kind in ("item", "interest"):
                assert found["probability_before"] == pytest.approx(np.exp(batch.attribution.forecast[row]), rel=1e-4)
            assert ("top_after" in found) == (target.kind != "conversion")
