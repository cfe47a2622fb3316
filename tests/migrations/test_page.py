"""migration.html: hostile names stay text, nothing is fetched, and the script draws the page in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from tests.pages import barriers, drawn, inert_data, opened, own
from trajectory.inference.new_users import whole_histories
from trajectory.migrations import page
from trajectory.migrations.migration import Settings, detect
from trajectory.migrations.migration_forecast import MigrationForecast
from trajectory.migrations.page import write_migrations
from trajectory.migrations.standing import standing
from trajectory.migrations.state_forecast import StateForecast, StepStates
from trajectory.migrations.transitions import slope_sentence

HOSTILE = "</script><img src=x onerror=alert(1)>"
COMMENT = "<!--<script>{{ 7 * 7 }}\u2028 & '\""
DAY = 24 * 3600


def made_up(**changes):
    """Two users move from the first interest to the second, two back: no season. A step a day from 2024-01-01."""
    there, back = [1, 3] * 30 + [2, 3] * 30, [2, 3] * 30 + [1, 3] * 30
    still = np.random.default_rng(0).integers(1, 5, 120).tolist()
    histories = make_histories([there, there, back, back, still], gap=DAY, interests=4)
    histories = replace(
        histories,
        users=pl.DataFrame({"user": [HOSTILE, "u1", "u2", "u3", "u4"]}),
        interests=(HOSTILE, COMMENT, "c3", "c4"),
        **changes,
    )
    return detect(histories, Settings(permutations=199))


def forecast_of(migrations):
    """All users are forecast to turn to two interests, in 3 steps; the model sees nothing of the first window."""
    histories = migrations.sessions.histories
    now = np.tile([0.4, 0.1, 0.3, 0.2], (histories.num_users, 1))
    following = np.tile([0.2, 0.35, 0.35, 0.1], (histories.num_users, 1))
    steps = StepStates(np.linspace(now, following, 3, axis=1), np.tile([1.0, 2.0, 3.0], (histories.num_users, 1)))
    windows = int(migrations.sessions.moment.max() // migrations.settings.window) + 1
    past = np.full((migrations.moves.height, windows, 4), 0.25)
    past[0] = [0.31, 0.23, 0.23, 0.23]  # of the first user in the table of migrations
    past[:, 0] = np.nan
    group = {"all": 5, "steadiest quarter": 2}
    check = {
        "steps": 3,
        "users": group,
        "log_loss": {name: dict.fromkeys(group, loss) for name, loss in (("forecast", 0.5), ("Markov", 0.75))},
        "differences": {
            name: {"Markov": {"difference": -0.25, "low": -0.3, "high": -0.2, "p_value": 0.01}} for name in group
        },
        "slope": {"value": 0.9, "low": 0.8, "high": 1.1},
        "flows": [{"from": HOSTILE, "to": COMMENT, "forecast": 1.5, "observed": 1.25, "error": 0.5}],
        "interests": [{"interest": COMMENT, "forecast": 0.031, "observed": 0.022, "error": 0.005}],
    }
    whole = np.ones(histories.num_users, bool)
    states = StateForecast(whole_histories(histories), now, following, steps, now, whole)
    return MigrationForecast(states, check, past, standing(check, [], "3 events"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    migrations = made_up()
    segment = np.array(["new", HOSTILE, "new", "new", "new"])
    folder = tmp_path_factory.mktemp("report")
    return write_migrations(migrations, folder, f"log {HOSTILE}", HOSTILE, forecast_of(migrations), segment)


@pytest.fixture(scope="module")
def shown(report, tmp_path_factory):
    return drawn(report)


def test_the_tables_are_written(report):
    found = pl.read_parquet(report.with_name("migrations.parquet"))
    assert found.select("user", "source", "destination").rows() == [
        (HOSTILE, HOSTILE, COMMENT),
        ("u1", HOSTILE, COMMENT),
        ("u2", COMMENT, HOSTILE),
        ("u3", COMMENT, HOSTILE),
    ]
    flows = pl.read_parquet(report.with_name("flows.parquet"))
    assert flows.filter(pl.col("segment") == "all users").select("period", "users").rows() == [
        ("whole log", 2),
        ("whole log", 2),
        ("2024 Q1", 2),
        ("2024 Q1", 2),
    ]
    of_one = flows.filter(pl.col("segment") == HOSTILE, pl.col("period") == "whole log")
    assert of_one.select("source", "destination", "users").rows() == [(HOSTILE, COMMENT, 1)]  # user u1


def test_the_forecast_is_written(report):
    flows = pl.read_parquet(report.with_name("flow_forecast.parquet"))
    assert flows["period"].unique().to_list() == ["next 3 steps"]
    of_all = flows.filter(pl.col("segment") == "all users").select("source", "destination", "users").rows()
    expected = [(HOSTILE, COMMENT, 5 / 6), ("c4", COMMENT, 5 / 12), (HOSTILE, "c3", 1 / 6), ("c4", "c3", 1 / 12)]
    assert of_all == [(one, other, pytest.approx(users)) for one, other, users in expected]
    of_new = flows.filter(pl.col("segment") == "new", pl.col("source") == "c4", pl.col("destination") == COMMENT)
    assert of_new["users"].to_list() == [pytest.approx(4 / 12)]
    moves = pl.read_parquet(report.with_name("migration_forecast.parquet"))
    assert moves["user"].to_list() == [HOSTILE, "u1", "u2", "u3", "u4"]
    assert moves.row(0)[1:] == (HOSTILE, COMMENT, pytest.approx(1 / 6), pytest.approx(0.3))
    assert json.loads(report.with_name("transitions.json").read_text())["slope"]["value"] == 0.9


def test_states_are_written_as_behaviour_and_as_the_model_saw_them(report):
    states = pl.read_parquet(report.with_name("states.parquet"))
    assert states["user"].n_unique() == 4
    totals = states.group_by("user", "window").agg(pl.col("behaviour", "model").sum())
    np.testing.assert_allclose(totals["behaviour"], 1)
    assert states.filter(pl.col("window") == 0)["model"].null_count() == states.filter(pl.col("window") == 0).height
    later = states.filter(pl.col("window") > 0)
    assert set(later.filter(pl.col("user") != HOSTILE)["model"]) == {0.25}
    assert set(later.filter(pl.col("user") == HOSTILE, pl.col("interest") == HOSTILE)["model"]) == {0.31}


def test_a_log_without_time_has_no_quarters(tmp_path):
    write_migrations(made_up(has_time=False), tmp_path, "steps")
    assert set(pl.read_parquet(tmp_path / "flows.parquet")["period"]) == {"whole log"}


def test_names_cannot_leave_their_place(report):
    data = inert_data(report, "data")
    assert data["flows"][0]["flows"][1][:3] == [HOSTILE, COMMENT, 2]
    users = data["users"]
    assert all(user["model"][0] is None for user in users)
    sees = {user["user"]: user["model"][1][user["interests"].index(HOSTILE)] for user in users}
    assert sees == {HOSTILE: 0.31, "u1": 0.25, "u2": 0.25, "u3": 0.25}


def test_nothing_is_fetched(report):
    html = own(report)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|<link|src=\"", html)


def test_the_script_draws_the_page(shown):
    assert '<img src="x"' not in shown
    sankey = shown[shown.index('id="sankey"') : shown.index('id="sentences"')]
    assert sankey.count('class="mark-area') == 2, "a ribbon for each flow"
    assert re.search(r'aria-label="Flows of users between interests"', sankey)
    assert len(re.findall(r">[^<]* \(2\)</text>", sankey)) == 4, "a name and how many users at each end"
    assert "Of none of these ways can it be told from chance" in shown, "two users each way are too few"
    assert "2 users moved from" not in shown
    assert ">whole log</option>" in shown
    assert ">2024 Q1</option>" in shown
    assert re.search(r'<p id="text">User .* moved \d+% of their interest from .*&lt;/script&gt;', shown)
    assert boxes(shown) >= 5 + 3 * 3  # windows, and forecast steps and interests, of the first user
    for label in ("+1", "+3", "forecast, to about 3.0 days after the log's end", "window"):
        assert f">{label}</text>" in shown
    assert ">the next 3 events (forecast)</option>" in shown
    for segment in ("all users", "new", "&lt;/script&gt;"):
        assert f">{segment}" in re.search(r'<select id="segment">.*?</select>', shown).group(0)


def test_the_page_shows_the_forecast_and_its_accuracy(shown):
    table = re.search(r'<table id="forecast">.*?</table>', shown, re.DOTALL).group(0)
    assert re.search(r"10\.00 %.*35\.00 %.*\+25\.00", table, re.DOTALL)
    check = re.search(r'<table id="check">.*?</table>', shown, re.DOTALL).group(0)
    assert "steadiest quarter (2)" in check
    assert 'class="gain">forecast -0.2500' in check
    assert "90% were observed on average (80% to 110%" in shown
    assert re.search(r'<table id="holdout_flows">.*1\.5.*1\.2', shown, re.DOTALL)
    assert re.search(r'<table id="holdout_changes">.*\+3\.10.*\+2\.20.*0\.50', shown, re.DOTALL)


def boxes(shown: str) -> int:
    """How many shares are drawn of the user."""
    return len(re.findall('<path[^>]* fill="#', shown[shown.index('id="chart"') : shown.index('id="legend"')]))


def choose(report, script, tmp_path_factory):
    """The page drawn after a choice on it."""
    page, _, rest = report.read_text(encoding="utf-8").rpartition("</script>")
    html = f"{page}{script}</script>{rest}"
    page = tmp_path_factory.mktemp("chosen") / "page.html"
    page.write_text(html, encoding="utf-8")
    return drawn(page)


def test_flows_are_filtered_by_period_and_segment(report, tmp_path_factory):
    ahead = 'byId("period").value = "next 3 steps"; byId("segment").value = "new"; showPeriod();'
    shown = choose(report, ahead, tmp_path_factory)
    assert "interest worth 1.2 users moves" in shown
    assert "Of none of these ways can it be told from chance" in shown, "as all users move alike"


def test_migrations_that_are_not_drawn_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "SHOWN_FLOWS", 1)
    shown = drawn(write_migrations(made_up(), tmp_path, "few"))
    flows = pl.read_parquet(tmp_path / "flows.parquet").filter(period="whole log", segment="all users")
    first, all_of = flows["users"].max(), flows["users"].sum()
    assert all_of > first
    assert (
        f"{all_of} migrations; drawn: the 1 largest way, {first} of them; the other {all_of - first}, in smaller ways, "
        "are not drawn, but in flows.parquet"
    ) in shown


def test_the_past_is_drawn_as_the_model_saw_it(report, shown, tmp_path_factory):
    script = """
        byId("source").value = "model"; showUser();
        byId("text").textContent = JSON.stringify(shareRows(data.users[0], "model").shares);
    """
    model = choose(report, script, tmp_path_factory)
    rows = json.loads(unescape(re.search('<p id="text">(.*?)</p>', model).group(1)))
    past = [row for row in rows if row["opacity"] == 1]
    assert {row["text"].rpartition(": ")[2] for row in past} == {"25.0 %"}
    assert min(row["x"] for row in past) > 1, "nothing is known before the first event"
    assert boxes(model) != boxes(shown)


def test_a_log_in_which_nobody_moves_has_a_page_too(tmp_path):
    migrations = made_up()
    none = replace(migrations, moves=migrations.moves.clear())
    html = write_migrations(none, tmp_path, "still").read_text(encoding="utf-8")
    assert "<b>0</b> migrated" in html
    assert html.count("<p>Nobody migrated.</p>") == 2, "no table of no rows"
    assert "Nobody migrated, so there is no user to show." in html
    assert 'id="user"' not in html
    assert 'id="net"' not in html
    assert 'id="lead"' not in html
    assert "forecast" not in re.sub("<script>.*</script>", "", html, flags=re.DOTALL)  # there is no forecast
    assert pl.read_parquet(tmp_path / "flows.parquet").height == 0


LESS = {"difference": 0.25, "low": 0.1, "high": 0.4, "p_value": 0.01}
LEVEL = {"difference": -0.01, "low": -0.1, "high": 0.1, "p_value": 0.9}


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ({"Markov": LESS, "persistence": LESS}, "on held-out windows of 3 events, Markov and persistence were better"),
        ({"Markov": LEVEL, "persistence": LEVEL}, "no better, beyond chance, than to say that users stay"),
        ({"Markov": LEVEL}, ""),
    ],
)
def test_forecasts_that_no_counting_rule_is_behind_are_not_claimed(tmp_path, tests, said):
    migrations = made_up()
    forecast = forecast_of(migrations)
    check = forecast.check | {"differences": {"all": tests, "steadiest quarter": tests}}
    check["log_loss"] |= {"persistence": {"all": 0.5, "steadiest quarter": 0.5}} if "persistence" in tests else {}
    forecast = replace(forecast, check=check, standing=standing(check, [], "3 events"))
    html = own(write_migrations(migrations, tmp_path, "behind", forecast=forecast))
    top, shown = html.split("<p>Interests are")[0], html.split("<script>")[0]
    assert (said in top) if said else "Do not act" not in html
    assert ("What is expected to grow and shrink" in shown) == (not said)
    assert any(part["forecast"] for part in inert_data(tmp_path / "migration.html", "data")["flows"]) == (not said)
    assert "How accurate were such forecasts?" in shown


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        (None, "The run was not evaluated (trajectory evaluate)"),
        ({"ndcg@10": {"baseline": "popularity", "low": -0.2, "high": -0.1}}, "ndcg@10 of popularity is better"),
        ({"ndcg@10": {"baseline": "popularity", "low": -0.2, "high": 0.1}}, "How far these forecasts hold"),
    ],
)
def test_what_was_not_measured_is_said_and_not_shown(evaluation, said):
    found = standing(None, [{"paired": {"test": evaluation}}] if evaluation else [], "3 events")
    assert found.withheld
    assert said in found.warning


def test_a_run_that_is_behind_counting_is_not_acted_on_here_either():
    """As its page of forecasts says, though its windows were better than that users stay."""
    check = {"differences": {"all": {"persistence": LEVEL | {"high": -0.001}}}}
    behind = {"paired": {"test": {"ndcg@10": {"baseline": "co_occurrence", "high": -0.1}}}}
    found = standing(check, [behind], "3 events")
    assert found.withheld
    assert "Do not act on these forecasts: the run is behind simple counting on test (ndcg@10 of co" in found.warning
    assert not standing(check, [], "3 events").withheld


def test_a_forecast_that_was_not_checked_has_a_page_that_says_so(tmp_path):
    migrations = made_up()
    forecast = replace(forecast_of(migrations), check=None, standing=standing(None, [], "3 events"))
    html = own(write_migrations(migrations, tmp_path, "unchecked", forecast=forecast))
    assert "How far these forecasts hold was not measured" in html.split("<p>Interests are")[0]
    assert "How accurate were such forecasts?" not in html
    assert 'id="forecast"' not in html
    assert not any(part["forecast"] for part in inert_data(tmp_path / "migration.html", "data")["flows"])


def test_forecasts_that_went_the_other_way_are_no_share_of_what_was_observed():
    assert "moved the other way" in slope_sentence({"value": -8.1, "low": -9.0, "high": -7.0})
    assert "90% were observed" in slope_sentence({"value": 0.9, "low": 0.8, "high": 1.1})


def test_a_time_of_almost_nothing_has_no_sign(tmp_path, monkeypatch):
    times = pl.DataFrame({"ramp": [2.0], "first_to_end": [-0.3], "drop_to_rise": [0.2]})
    monkeypatch.setattr("trajectory.migrations.page.lead_times", lambda migrations: times)
    html = write_migrations(made_up(), tmp_path, "quick").read_text(encoding="utf-8")
    assert "<td>0</td><td>0 to 0</td>" in html
    assert "-0" not in html.split('id="lead"')[1].split("</table>")[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way(report, scheme):
    with opened(report, color_scheme=scheme) as tab:
        assert barriers(tab) == []


def test_a_telephone_needs_no_scrolling_sideways(report):
    with opened(report, width=390) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert barriers(tab) == []
