"""Results are tables with explained columns that go to pandas, to files, and to charts that a notebook shows."""

import datetime
import json
import re

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

import trajectory as tj
from trajectory.schema import UserError

WEEK = datetime.date(2024, 1, 1)
MEASURED = [
    ("test", "model", "ndcg@10", 0.3, 0.01, 0.28, 0.32),
    ("test", "markov", "ndcg@10", 0.2, None, None, None),
]
MADE = [
    tj.Prepared(
        pl.DataFrame({"time": [datetime.datetime(2024, 1, 2)] * 2, "event_type": ["view", "view"]}), config=ConfigDict()
    ),
    tj.Predictions(pl.DataFrame({"user": [1, 1], "item": [5, 6], "title": ["Tea", None], "probability": [0.5, 0.2]})),
    tj.Forecast(
        pl.DataFrame(
            {
                "user": ["a", "a"],
                "statement": ["at_step", "path"],
                "level": ["item", "item"],
                "step": [1, 1],
                "id": ["5", "6"],
                "title": [None, "Tea"],
                "probability": [0.5, 0.2],
            }
        )
    ),
    tj.Explanation(
        pl.DataFrame(
            {
                "user": ["a", "a", "a"],
                "event": [0, 0, 1],
                "item": ["5", "5", None],
                "title": ["Tea", "Tea", None],
                "target": ["BREAD"] * 3,
                "step": [1, 1, 1],
                "feature": ["item", "gap", "item"],
                "value": [0.5, -0.7, 0.2],
            }
        )
    ),
    tj.Recommendations(
        pl.DataFrame({"user": ["a"], "list": ["new"], "item": ["5"], "title": ["Tea"], "probability": [0.3]})
    ),
    tj.Embeddings(pl.DataFrame({"item": ["5", "6"], "vector": np.array([[1.0], [2.0]], np.float32)})),
    tj.Migrations(pl.DataFrame({"source": ["BEER"], "destination": ["WINE"]})),
    tj.Segments(pl.DataFrame({"user": [1, 2], "segment": ["tea", "tea"]})),
    tj.Audiences(pl.DataFrame({"target": ["tea"], "probability": [0.3]})),
    tj.Demand(pl.DataFrame({"name": ["tea"], "week": [WEEK], "forecast": [3.0], "low_80": [2.0], "high_80": [4.0]})),
    tj.Evaluation.of(MEASURED),
    tj.StepEvaluation.of([("runs/a", "test", "direct", step == 1, "ndcg@10", step, 0.3, 0.01) for step in (1, 2)]),
    tj.Baselines.of(MEASURED[1:]),
    tj.Sweep(pl.DataFrame({"name": ["gru", "markov"], "ndcg@10": [0.3, 0.2], "ndcg@10_standard_error": [0.01, None]})),
    tj.Search(pl.DataFrame({"trial": [1, 0], "state": ["complete", "failed"], "ndcg@10": [0.3, None]})),
    tj.Comparison.of([("test", "runs/a", "ndcg@10", 0.3, 0.01, None, None, None, None)]),
]


@pytest.mark.parametrize("result", MADE, ids=lambda result: type(result).__name__)
def test_each_has_a_chart_that_a_notebook_shows(result):
    chart = result.plot()
    assert "vega" in chart._repr_mimebundle_(None, None)["text/html"]
    (rows,) = chart.to_dict()["datasets"].values()
    assert rows
    named = [re.sub("<[a-z]+>", ".+", name) for name in result.COLUMNS]  # of the reader's metrics and names
    assert all(any(re.fullmatch(name, column) for name in named) for column in result.frame.columns)


def test_charts_hold_the_numbers_of_the_rows():
    explained = next(made for made in MADE if isinstance(made, tj.Explanation))
    (rows,) = explained.plot().to_dict()["datasets"].values()
    assert [(row["name"], row["value"]) for row in rows] == [("1. Tea", pytest.approx(-0.2)), ("2. unknown item", 0.2)]
    (rows,) = MADE[2].plot().to_dict()["datasets"].values()
    assert [row["name"] for row in rows] == ["5"], "only what comes at a step"


def test_a_user_without_rows_and_a_metric_that_is_not_there_are_named():
    with pytest.raises(UserError, match="user 9 has no rows here; there are such as 1"):
        MADE[1].plot(user=9)
    with pytest.raises(UserError, match="metric hr@3 was not measured on test; there are ndcg@10"):
        tj.Evaluation.of(MEASURED).plot("hr@3")
    swept = next(made for made in MADE if isinstance(made, tj.Sweep))
    with pytest.raises(UserError, match="metric hr@3 was not measured; there are ndcg@10"):
        swept.plot("hr@3")


def test_migrations_that_no_run_found_have_no_page(tmp_path):
    with pytest.raises(UserError, match=r"only what run\.migrations\(\) returned has a page"):
        tj.Migrations(pl.DataFrame()).write_page(tmp_path)


def test_rows_go_to_pandas_and_to_files(tmp_path):
    made = tj.Audiences(pl.DataFrame({"target": ["tea"], "context": [["milk", "rice"]]}))
    assert made.to_pandas()["target"].tolist() == ["tea"]
    assert pl.read_parquet(made.write(tmp_path / "a.parquet")).equals(made.frame)
    assert made.write(tmp_path / "a.csv").read_text() == "target,context\ntea,milk; rice\n"
    assert json.loads(made.write(str(tmp_path / "a.json")).read_text()) == [
        {"target": "tea", "context": ["milk", "rice"]}
    ]
    with pytest.raises(UserError, match=r"a\.xlsx: expected a name ending in \.parquet, \.csv, \.json"):
        made.write(tmp_path / "a.xlsx")


def test_vectors_go_to_a_csv_and_a_file_that_cannot_be_written_is_the_user_s(tmp_path):
    vectors = tj.Embeddings(pl.DataFrame({"item": ["5"], "vector": np.array([[-1.0, 2.5]], np.float32)}))
    assert vectors.write(tmp_path / "a.csv").read_text() == 'item,vector\n5,"[-1.0, 2.5]"\n'
    with pytest.raises(UserError, match=r"b/a\.csv: the folder .*b does not exist; make it first"):
        vectors.write(tmp_path / "b" / "a.csv")
    (tmp_path / "c.csv").mkdir()
    with pytest.raises(UserError, match=r"c\.csv: Is a directory; expected a file there"):
        vectors.write(tmp_path / "c.csv")


def test_numbers_that_may_be_null_stay_numbers_in_pandas():
    frame = pl.DataFrame({"rank": [1, None], "in_set_90": [True, None], "time": [datetime.datetime(2024, 1, 2), None]})
    made = tj.Forecast(frame).to_pandas()
    assert [str(kind) for kind in made.dtypes] == ["Int64", "boolean", "datetime64[us]"]
    assert made["rank"].isna().tolist() == [False, True]


def test_a_result_is_the_same_as_itself_alone():
    one, other = (tj.Segments(pl.DataFrame({"user": [1], "segment": ["tea"]})) for _ in range(2))
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_what_must_be_said_is_shown_with_the_rows():
    made = tj.Segments(pl.DataFrame({"user": [1], "segment": ["tea"]}), notes=("60 users; simulated data",))
    assert repr(made).startswith("Segments: 1 rows\n60 users; simulated data\nshape: (1, 2)")
    assert "<table" in made._repr_html_()
