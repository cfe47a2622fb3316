"""report.html: hostile titles stay text, nothing is fetched, and the script draws the page in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from tests.builders import GivenForecast, fake_run, make_histories
from tests.pages import barriers, drawn, inert_data, opened, own
from trajectory.forecasting import tables
from trajectory.forecasting.forecast import Forecast, past_shares
from trajectory.forecasting.page import interests_chart, write_report
from trajectory.inference.beam_search import Beams
from trajectory.inference.new_users import whole_histories
from trajectory.settings import base

HOSTILE = "</script><img src=x onerror=alert(1)>"
COMMENT = "<!--<script>{{ 7 * 7 }}\u2028 & '\""


def made_up(**changes) -> Forecast:
    histories = make_histories([[1, 2, 3, 4], [4, 3], [2, 1, 1]], num_items=4, interests=2)
    titles = pl.Series("title", [HOSTILE, COMMENT, "C", None])
    histories = replace(
        histories,
        items=histories.items.with_columns(titles),
        users=pl.DataFrame({"user": [HOSTILE, "u1", "u2"]}),
        interests=(HOSTILE, COMMENT),
        **changes,
    )
    queries = whole_histories(histories)
    probability = np.tile(np.array([0, 0.4, 0.3, 0.2, 0.1], np.float32), (3, 2, 1))
    interests = np.tile(np.array([0, 0.6, 0.4], np.float32), (3, 2, 1))
    days = np.tile([0.5, 1.5, 30.0], (3, 2, 1))
    forecast = GivenForecast(probability, interests, probability, interests, days, True, probability > 0.25)
    beams = Beams(np.tile([1, 2], (3, 2, 1)), np.full((3, 2, 2), np.log(0.01)))
    return Forecast(
        histories,
        queries,
        pl.concat(
            [
                tables.statements(histories, queries, forecast, 4),
                tables.path_statements(histories, queries, beams, "item"),
                tables.path_statements(histories, queries, beams, "interest"),
            ]
        ),
        forecast.interests,
        past_shares(histories, queries, 1, 1.0)[:, 0],
        steps=2,
        method="by magic",
        without=tables.without_items(histories, queries, None),
    )


EVALUATION = {
    "metrics": {"test": {"hr@10": 0.5, "ndcg@10": 0.25}},
    "baselines": {"most_popular": {"test": {"hr@10": 0.75, "ndcg@10": 0.125}}},
    "protocol": {
        "users": {"test": 3},
        "guarantee": HOSTILE,
        "candidates": 4,
        "candidate_rule": "all",
        "ties": "expected",
        "checkpoint": "best",
    },
}


def growing():
    """A forecast by which one interest grows of all users."""
    return replace(made_up(), known=np.tile([0, 0.1, 0.9], (3, 1)))


def page(folder, forecast, power=0.0):
    config = base("gru")
    config.batch.basket_power = power
    config.name, config.note = f"log {HOSTILE}", HOSTILE
    run = fake_run(workdir=folder, config=config)
    run.checkpoint = "best"
    return write_report(run, forecast)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION))
    return page(folder, growing())


@pytest.fixture(scope="module")
def shown(report, tmp_path_factory):
    return drawn(report)


def test_nothing_is_fetched(report):
    html = own(report)
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.extend(attributes)
    parser.feed(html)
    fetching = ("src", "href", "srcset", "action", "data", "xlink:href")
    assert {value for name, value in found if name in fetching} == {"#content"}
    names, address = r"http://www\.w3\.org/(2000/svg|1999/xlink)", re.compile("https?:|//[a-z]|url\\(|@import|fetch\\(")
    assert not address.search(re.sub(names, "", html))


def test_titles_cannot_leave_their_place(report):
    users = inert_data(report, "users")
    assert users[0]["user"] == HOSTILE
    assert [name for name, *_ in users[0]["next"]] == [HOSTILE, COMMENT, "C", "i4"]
    assert sorted(users[0]["interests"]) == sorted([HOSTILE, COMMENT])


def test_items_of_the_set_are_marked(report):
    users = inert_data(report, "users")
    assert [in_set for *_, in_set in users[0]["next"]] == [True, True, False, False]
    assert not any(in_set for *_, in_set in users[0]["visited"]), "sets are of a step, not of several"
    assert "● marks items of the set that holds the next item with 90 %" in report.read_text()


def test_the_size_of_the_set_is_told_where_few_of_it_are_shown(shown):
    assert "This user&#39;s set has 2 items." in shown.replace("user's", "user&#39;s")


def test_the_picture_of_interests_is_written(report):
    assert report.with_name("forecast.png").read_bytes().startswith(b"\x89PNG")


def test_changes_within_chance_are_not_drawn():
    forecast = made_up()
    apart = np.array([[0, 0.1, 0.9], [0, 0.9, 0.1], [0, 0.6, 0.4]])  # around the forecast shares, 0.6 and 0.4
    assert interests_chart(replace(forecast, known=apart)) is None
    assert interests_chart(replace(forecast, known=np.tile([0, 0.1, 0.9], (3, 1)))) is not None


def test_users_without_an_event_of_what_is_predicted_grow_nothing():
    forecast = made_up()
    # The first only viewed; of the others one bought little of the first interest, and one much.
    chart = interests_chart(replace(forecast, known=np.array([[0, 0, 0], [0, 0.2, 0.8], [0, 0.25, 0.75]])))
    assert chart is not None
    assert "mean of 2 users" in str(chart.to_dict()["title"])


def test_the_best_of_each_column_is_marked(report):
    rows = re.search(r'<table id="results">.*?</table>', report.read_text(), re.S).group(0)
    assert re.findall(r'<td class="best">([\d.]+)</td>', rows) == ["0.2500", "0.7500"]
    assert "most popular" in rows


def test_of_a_log_loss_the_least_is_best_and_what_was_not_measured_is_empty(tmp_path):
    metrics = {"test": {"conversion_log_loss": 0.7, "conversion_auc": float("nan")}}
    baselines = {"base_rate": {"test": {"conversion_log_loss": 0.6, "conversion_auc": float("nan")}}}
    (tmp_path / "evaluation.json").write_text(json.dumps(EVALUATION | {"metrics": metrics, "baselines": baselines}))
    html = page(tmp_path, made_up()).read_text()
    rows = re.search(r'<table id="results">.*?</table>', html, re.S).group(0)
    assert re.findall(r'<td class="best">([\d.]+)</td>', rows) == ["0.6000"]
    assert "nan" not in rows
    assert "Of conversion log loss less is better" in html


@pytest.mark.parametrize(("power", "unit"), [(0.0, "lines"), (0.5, "lines, of large baskets less"), (1.0, "baskets")])
def test_lines_of_baskets_are_told_from_items_and_what_shares_are_of_is_said(tmp_path, power, unit):
    forecast = made_up()
    histories = replace(forecast.histories, baskets=True)
    facts = {**EVALUATION["protocol"], "targets": {"test": 3740}, "target_items": {"test": 2911}}
    (tmp_path / "evaluation.json").write_text(json.dumps(EVALUATION | {"protocol": facts}))
    html = page(tmp_path, replace(forecast, histories=histories), power).read_text()
    assert "3,740 held-out events (lines of baskets; 2,911 different items of their users) of" in html
    assert f'"title": "share of {unit}"' in html
    assert f"A basket of m lines counts as m to the power of {1 - power:g} lines" in html


@pytest.mark.parametrize(
    ("targets", "said"), [({"test": 3740}, "3,740 held-out events of"), (None, "on held-out events of")]
)
def test_how_many_events_were_held_out_is_told(tmp_path, targets, said):
    protocol = EVALUATION["protocol"] | ({"targets": targets} if targets else {})
    (tmp_path / "evaluation.json").write_text(json.dumps(EVALUATION | {"protocol": protocol}))
    assert said in page(tmp_path, made_up()).read_text()


@pytest.mark.parametrize(
    ("most", "heading"), [(1, "the next event is predicted"), (3, "the held-out events are predicted")]
)
def test_figures_of_several_held_out_events_are_not_called_the_next_event(tmp_path, most, heading):
    facts = {"step": "event", "target_steps": {"test": {"mean": (1 + most) / 2, "most": most}}}
    protocol = EVALUATION["protocol"] | facts
    (tmp_path / "evaluation.json").write_text(json.dumps(EVALUATION | {"protocol": protocol}))
    html = page(tmp_path, made_up()).read_text()
    assert f"<h2>How well {heading}</h2>" in html
    assert ("as one set (2.0 on average, at most 3)" in html) == (most > 1)


@pytest.mark.parametrize("calibrated", [True, False])
def test_interests_that_are_calibrated_by_themselves_are_said_to_be(tmp_path, calibrated):
    made = made_up()
    statements = made.statements.with_columns(calibrated=pl.lit(calibrated))
    html = page(tmp_path, replace(made, statements=statements)).read_text()
    assert ("Interests are calibrated by themselves" in html) == calibrated


def test_a_log_without_interests_has_no_chart_of_them(tmp_path, tmp_path_factory):
    made = made_up()
    bare = replace(made.histories, interests=(), item_interest=np.zeros(5, np.int32))
    none = np.tile(np.array([1.0], np.float32), (3, 2, 1))
    statements = made.statements.filter(pl.col("level") != "interest")
    made = replace(made, histories=bare, interests=none, known=none[:, 0], statements=statements)
    html = drawn(page(tmp_path, made))
    assert "no interests whose shares could be drawn" in html
    assert "<rect" not in html
    assert 'id="visited"><tr>' in re.sub(r"<tbody>", "", html)


def test_the_script_draws_the_page(shown):
    options = re.findall(r"<option[^>]*>(.*?)</option>", shown[shown.index('id="user"') :])
    assert options == [HOSTILE.replace("<", "&lt;").replace(">", "&gt;"), "u1", "u2"]
    columns = re.search(r'id="chart".*?id="legend"', shown, re.DOTALL).group(0).count('fill="#')
    assert columns >= 4 + 2 * 2, "a user's interest in each window that has events, and both at each step"
    for label in ("+1", "+2", "share of events", "past (twelfths of the log's time)", "forecast (next events)"):
        assert f">{label}</text>" in shown
    assert re.search(r'<table id="next">.*40\.0 %.*</table>', shown, re.S)
    assert re.search(r'<table id="visited">.*40\.0 %.*</table>', shown, re.S)


def test_hostile_titles_stay_inert_in_a_browser(shown):
    assert '<img src="x"' not in shown
    assert "<img src=x" not in shown
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in shown


LOST = {"ndcg@10": {"baseline": "markov", "low": -0.4, "high": -0.3}}


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        (EVALUATION | {"paired": {"test": LOST}}, "Do not act on these forecasts: the run is behind simple counting"),
        (EVALUATION | {"protocol": EVALUATION["protocol"] | {"checkpoint": "an older one"}}, "was not evaluated"),
        (None, "was not evaluated"),
        (EVALUATION | {"paired": {"test": {"ndcg@10": LOST["ndcg@10"] | {"high": 0.1}}}}, ""),
    ],
)
def test_what_is_expected_to_grow_is_told_of_a_run_that_was_measured_and_is_not_behind(tmp_path, evaluation, said):
    (tmp_path / "forecast.png").write_bytes(b"of an earlier forecast")
    if evaluation:
        (tmp_path / "evaluation.json").write_text(json.dumps(evaluation))
    html = own(page(tmp_path, growing()))
    assert said in html.split("<h2>")[0]
    assert ('id="warning"' in html) == bool(said)
    assert ("Interests that grow and shrink most" in html) == (not said)
    assert ("expected to grow and shrink is not shown" in html) == bool(said)
    assert (tmp_path / "forecast.png").exists() == (not said)


AHEAD = {"baseline": "markov", "high": 0.1}


@pytest.mark.parametrize(
    ("paired", "said"),
    [
        (
            [LOST["ndcg@10"], AHEAD, LOST["ndcg@10"]],
            "behind simple counting on test (ndcg@10 of markov at event 1, 3 is",
        ),
        ([AHEAD, AHEAD], ""),
        ([{"floor": "markov", "high": -0.1}], "of markov at event 1 is"),  # as the release before called it
    ],
)
def test_a_run_whose_steps_ahead_were_measured_is_not_said_to_be_unmeasured(tmp_path, paired, said):
    measured = {"unit": "event", "paired": {"test": {"ndcg@10": paired}}, "protocol": {"checkpoint": "best"}}
    (tmp_path / "trajectories.json").write_text(json.dumps(measured))
    html = own(page(tmp_path, growing())).split("<h2>")[0]
    assert said in html
    assert ('id="warning"' in html) == bool(said)
    assert "not measured" not in html


def test_steps_measured_of_another_checkpoint_say_nothing(tmp_path):
    measured = {"unit": "event", "paired": {"test": {"ndcg@10": [AHEAD]}}, "protocol": {"checkpoint": "an older one"}}
    (tmp_path / "trajectories.json").write_text(json.dumps(measured))
    assert "was not evaluated" in own(page(tmp_path, growing())).split("<h2>")[0]


def test_a_log_without_interests_has_a_page_too(tmp_path):
    forecast = made_up()
    histories = replace(forecast.histories, interests=(), item_interest=np.zeros(5, np.int32))
    none = replace(forecast, histories=histories, interests=np.ones((3, 2, 1)), known=np.ones((3, 1)))
    html = page(tmp_path, none).read_text()
    assert not (tmp_path / "forecast.png").exists()
    assert '"interests": ["no interest"]' in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way(report, scheme):
    with opened(report, color_scheme=scheme) as tab:
        assert barriers(tab) == []


def test_a_telephone_needs_no_scrolling_sideways(report):
    with opened(report, width=390) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert barriers(tab) == []
