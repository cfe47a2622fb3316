"""The segments' part of the report, on a made-up log with a stand-in for the model's forecast."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.builders import fake_run, make_histories
from trajectory.data.pipeline import splits
from trajectory.data.times import WEEK
from trajectory.insights.segments import build, expectation, segmentation, states
from trajectory.insights.segments.build import build_segments
from trajectory.insights.segments.states import trajectories
from trajectory.migrations.state_forecast import StepStates
from trajectory.schema import EVENT_TYPES, UserError

CONFIG = ConfigDict(
    {
        "seed": 0,
        "heads": {"item": 1.0, "horizon": 1},
        "forecast": {"steps": 2},
        "evaluation": {"bootstrap": 20, "seen": "keep"},
        "data": {"source": "nowhere"},
    }
)
CUT = 25  # weeks


def shopper(rng: np.random.Generator, first: int, then: int) -> list[int]:
    """Forty weeks of mostly one item each; `then` comes with week 15."""
    usual = np.array([first] * 15 + [then] * 25)
    interest = np.where(rng.random(40) < 0.8, usual, rng.integers(1, 4, 40))
    return (interest + 3 * rng.integers(0, 2, 40)).tolist()  # each interest has two items, of different departments


def made_up(monkeypatch, worth=(1.0, 1.0, 4.0), kind="temporal", weeks_of_first=40):
    """60 who always bought interest 1, 60 always 2, 50 who went from 1 to 3; forecasts are of the last eight events."""
    rng, kinds = np.random.default_rng(0), [(1, 1)] * 60 + [(2, 2)] * 60 + [(1, 3)] * 50
    lists = [shopper(rng, *kind) for kind in kinds]
    lists[:60] = [bought[:weeks_of_first] for bought in lists[:60]]
    histories = make_histories(lists, gap=WEEK, num_items=6)
    histories = replace(histories, items=histories.items.with_columns(department=pl.Series(list("aaabbb"))))
    if worth:
        histories = replace(histories, value=np.array([0, *worth, *worth], np.float32)[histories.item])
    split = {"kind": kind, "cut": "", "quantile": CUT / 40, "target": "all", "steps": 2}
    histories, split = splits.split(histories, ConfigDict(split))

    def forecast(run, histories, queries, steps):
        interest = histories.item_interest[histories.item]
        last = np.stack([np.eye(4)[interest[queries.stop - back]][:, 1:] for back in range(1, 9)]).mean(0)
        return StepStates(np.repeat(last[:, None], steps, axis=1), None)

    monkeypatch.setattr(expectation, "step_states", forecast)
    monkeypatch.setattr(build, "warning", lambda run, of: "")  # as if it was evaluated and not behind
    return fake_run(histories=histories, split=split, config=CONFIG)


def falling(histories):
    """Half as much value from three weeks before validation on, so that it shows that a fall goes on."""
    late = histories.time > histories.time.min() + 12 * WEEK
    return replace(histories, value=np.where(late, histories.value / 2, histories.value).astype(np.float32))


def test_volumes_ahead_are_of_value(monkeypatch):
    run = made_up(monkeypatch)
    (found,) = trajectories(run, [run.experiment.split.cut_time("test")])
    assert found.words.unit == "sales value"
    assert found.moment is not None
    before = run.experiment.histories.item_interest[
        run.experiment.histories.item[found.queries.start[0] : found.queries.stop[0]]
    ]
    weeks = (found.moment - run.experiment.histories.time[0]) / WEEK
    worth = np.array([(before == 1).sum(), (before == 2).sum(), 4 * (before == 3).sum()])
    np.testing.assert_allclose(found.past[0], worth / weeks)
    new = found.ahead[120:].mean(0)
    assert new[2] > 0.6 * new.sum()
    assert found.ahead[:60, 0].mean() > 0.5 * found.ahead[:60].sum(1).mean()


def test_forecasts_of_events_become_forecasts_of_value(monkeypatch):
    run = made_up(monkeypatch)
    monkeypatch.setattr(states, "fit_weights", lambda *_: np.array([1.0, 0, 0]))  # the forecast alone
    even = np.full((170, 2, 3), 1 / 3)
    monkeypatch.setattr(expectation, "step_states", lambda *_: StepStates(even, None))
    ahead = trajectories(run, [run.experiment.split.cut_time("test")])[0].ahead
    np.testing.assert_allclose(ahead / ahead.sum(1, keepdims=True), np.tile([1 / 6, 1 / 6, 4 / 6], (170, 1)))


def test_interests_are_summed_up_to_departments(monkeypatch):
    (found,) = trajectories(made_up(monkeypatch), [None])
    assert found.fields == ("a", "b")
    np.testing.assert_allclose(found.field_shares.sum(1), 1)
    np.testing.assert_allclose(found.states(found.past, power=1).sum(1), found.past.sum(1))


def test_nothing_after_the_cut_is_known(monkeypatch):
    run = made_up(monkeypatch)
    histories, moment = run.experiment.histories, run.experiment.split.cut_time("test")
    later = histories.time >= moment
    item = np.where(later, 4, histories.item).astype(np.int32)
    run_of_other_future = fake_run(
        histories=replace(histories, item=item, value=np.where(later, 9, histories.value).astype(np.float32)),
        split=run.experiment.split,
        config=CONFIG,
    )
    one, other = (trajectories(each, [moment])[0] for each in (run, run_of_other_future))
    for name in ("past", "late", "ahead", "field_shares"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_part_tells_of_the_end_of_the_log_and_measures_from_the_cut(monkeypatch):
    run = made_up(monkeypatch)
    part = build_segments(run)
    ends = (run.experiment.histories.now, run.experiment.split.cut_time("test"))
    now, cut = (f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}" for moment in ends)
    assert f"As of {now}" in part.blocks[0].words
    assert f"made as of {cut}" in next(
        one.note for one in part.blocks if getattr(one, "title", "") == "How far segments hold"
    )
    assert part.tables["segments"].columns == ["user", "segment"]
    assert part.tables["segments"].schema["segment"] == pl.String
    assert part.tables["segments"].height == 170
    assert part.tables["segment_profiles"]["users"].sum() == 170
    assert 2 <= len(part.sentences) <= 5
    assert part.measured["spend"]["segments"]["r2"] > 0.5
    assert part.measured["redemption"] is None
    assert part.measured["association"] is None


def test_a_log_without_values_counts_events_and_one_not_cut_by_time_has_no_use(monkeypatch):
    part = build_segments(made_up(monkeypatch, worth=None, kind="leave_last"))
    assert part.measured["spend"] is None
    assert "events" in part.sentences[0]


def test_where_segments_are_heading_is_not_acted_on_where_the_model_is_behind_counting(monkeypatch):
    run = made_up(monkeypatch)
    run.experiment.histories = falling(run.experiment.histories)
    assert any("Win them back" in one for one in build_segments(run).sentences)
    monkeypatch.setattr(build, "warning", lambda run, of: f"Do not act on {of}: it is behind.")
    sentences = build_segments(run).sentences
    assert "Do not act on forecasts of where segments are heading: it is behind." in sentences
    assert not any("have moved" in one or "Win them back" in one for one in sentences)


def test_weeks_without_anything_until_the_log_s_end_count_where_the_split_is_not_by_time(monkeypatch):
    run = made_up(monkeypatch, kind="leave_last", weeks_of_first=20)
    histories, part = run.experiment.histories, build_segments(run)
    assert f"As of {datetime.fromtimestamp(histories.now, UTC):%d %B %Y}" in part.blocks[0].words
    owner = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))
    events = pl.DataFrame({"user": histories.users["user"].gather(owner), "time": histories.time})
    events = events.with_columns(value=pl.Series(histories.value))
    since = (histories.now - pl.col("time").min()) / WEEK
    raw = events.group_by("user").agg(weekly=pl.col("value").sum() / since).join(part.tables["segments"], on="user")
    truth = raw.group_by("segment").agg(pl.col("weekly").mean()).sort("segment")
    told = part.tables["segment_profiles"].sort("segment")
    assert told["segment"].to_list() == truth["segment"].to_list()
    np.testing.assert_allclose(told["value_a_week"], truth["weekly"], rtol=1e-5)


def test_a_run_without_item_head_is_explained(monkeypatch):
    run = made_up(monkeypatch)
    run.config = CONFIG.copy_and_resolve_references()
    run.config.heads.item = 0.0
    with pytest.raises(UserError, match="item head"):
        trajectories(run, [None])


def with_views(run, event_type: np.ndarray):
    histories = replace(run.experiment.histories, event_type=event_type.astype(np.int8), roles=EVENT_TYPES)
    return fake_run(**{**vars(run.experiment), "histories": histories})


def test_views_group_users_but_have_no_sales_value(monkeypatch):
    run = made_up(monkeypatch)
    h = run.experiment.histories
    run = with_views(run, np.where(h.step % 4 == 0, 2, 1))  # a quarter of the events are purchases
    part = build_segments(run)
    profiles = part.tables["segment_profiles"]
    value = np.where(h.step % 4 == 0, h.value, 0).sum() / (h.now - h.time[0]) * WEEK
    assert (profiles["value_a_week"] * profiles["users"]).sum() == pytest.approx(value, rel=0.02)
    assert "expected to turn to" in part.blocks[0].words
    assert any("of the sales value" in one for one in part.sentences)
    assert "weighs the model's forecast " in part.blocks[0].words


def test_a_forecast_of_purchases_is_no_part_of_what_is_expected_of_all_events(monkeypatch):
    run = made_up(monkeypatch)
    h = run.experiment.histories
    run = with_views(run, np.where(h.step % 4 == 0, 2, 1))
    roles = EVENT_TYPES | {"view": ("input",)}
    run = fake_run(**{**vars(run.experiment), "histories": replace(run.experiment.histories, roles=roles)})
    (found,) = trajectories(run, [None])
    model, always, lately = found.weights
    assert model == pytest.approx(0)
    words = build_segments(run).blocks[0].words
    assert f"the user's shares since the first event {always:.0%} and those of the last weeks {lately:.0%}" in words
    assert "the model's forecast, which is of purchases alone, is no part of it" in words
    assert "are shares of events, each counted once (view, purchase); share and amounts a week" in words


def printed(part, name, column):
    return part.tables["segment_profiles"].filter(segment=name)[column].item()


def test_the_value_is_of_all_sales_those_of_items_without_a_category_too(monkeypatch):
    run = made_up(monkeypatch)
    h = run.experiment.histories
    item_interest = h.item_interest.copy()
    item_interest[4] = 0
    bare = replace(h, item_interest=item_interest, value=np.where(h.item == 4, 7, h.value).astype(np.float32))
    run.experiment.histories = bare
    part = build_segments(run)
    owner = np.repeat(np.arange(bare.num_users), np.diff(bare.offsets))
    weeks = (bare.now - bare.time[bare.offsets[:-1]]) / WEEK
    rate = np.bincount(owner, bare.value) / weeks
    users = pl.DataFrame({"user": bare.users["user"], "rate": rate}).join(part.tables["segments"], on="user")
    of = users.group_by("segment").agg(mean=pl.col("rate").mean())
    for name, mean in of.iter_rows():
        assert printed(part, name, "value_a_week") == pytest.approx(mean)
    without = (bare.item == 4).mean()
    assert f"Items without a category ({without:.1%} of the events) count in value" in part.blocks[0].words
    assert "Items without a category" not in build_segments(made_up(monkeypatch)).blocks[0].words


def test_the_share_of_value_is_of_what_was_brought_whenever_users_came(monkeypatch):
    run = made_up(monkeypatch)
    h = run.experiment.histories
    owner = np.repeat(np.arange(h.num_users), np.diff(h.offsets))
    late = owner < 60  # these begin after two fifths of the weeks
    run.experiment.histories = replace(h, time=np.where(late, h.now - (h.now - h.time) * 3 // 5, h.time))
    part = build_segments(run)
    brought = np.bincount(owner, run.experiment.histories.value)
    users = pl.DataFrame({"user": h.users["user"], "brought": brought}).join(part.tables["segments"], on="user")
    for name, total in users.group_by("segment").agg(pl.col("brought").sum()).iter_rows():
        assert printed(part, name, "share_of_value") == pytest.approx(total / brought.sum())


def test_nobody_is_said_to_buy_less_and_not_less(monkeypatch):
    run = made_up(monkeypatch)
    real = build.segmentation

    def found(trajectories, seed):
        one = real(trajectories, seed)
        t = one.trajectories
        t = replace(t, value_ahead=t.value * np.where(one.label == 0, 0.89, 1.0))  # a fall, but too small to be named
        return replace(one, trajectories=t, new_members=np.arange(len(one.new_members)) == 0)

    monkeypatch.setattr(build, "segmentation", found)
    part = build_segments(run)
    (new,) = part.tables["segment_profiles"].filter("new_members")["segment"]
    assert any("Win them back" in one and new in one for one in part.sentences)
    assert not any("without buying less" in one for one in part.sentences)


def test_who_has_brought_most_is_named_with_all_who_brought_as_much(monkeypatch):
    part = build_segments(made_up(monkeypatch, worth=(1.0, 1.0, 4.0)))
    profiles = part.tables["segment_profiles"]
    best = profiles.filter(pl.col("value_a_week") >= 0.95 * profiles["value_a_week"].max())
    said = next(one for one in part.sentences if "Keep them first" in one)
    assert said.startswith(f"{best['users'].sum()} users ({best['share_of_users'].sum():.0%}) have brought")
    assert f"{best['share_of_value'].sum():.0%} of the sales value" in said
    assert all(f'"{name}"' in said for name in best["segment"])


def test_nobody_is_to_be_kept_first_where_all_bring_their_share(monkeypatch):
    part = build_segments(made_up(monkeypatch, worth=(1.0, 1.0, 1.0)))
    assert not any("Keep them first" in sentence for sentence in part.sentences)
    assert "No segment has brought much more of the sales value than its share of users." in part.sentences


@pytest.mark.parametrize(
    ("segments", "rule", "advice"),
    [(0.3, 0.1, "Plan by segment."), (0.1, 0.3, "To plan, take the groups of RFM k-means."), (-0.1, -0.2, "None of")],
)
def test_what_explains_most_is_what_to_plan_by(monkeypatch, segments, rule, advice):
    run = made_up(monkeypatch)
    real = build.measure

    def measured(*given):
        found = real(*given)
        found["spend"]["segments"]["r2"], found["spend"]["RFM k-means"]["r2"] = segments, rule
        found["spend"]["raw-count k-means"]["r2"] = -0.5
        for of in found["spend"].values():
            lead, more = segments - of["r2"], of["r2"]
            of["lead_r2"] |= {"low": lead - 0.01, "high": lead + 0.01}
            of["over_none"] |= {"low": more - 0.01, "high": more + 0.01}
        return found

    monkeypatch.setattr(build, "measure", measured)
    said = next(one for one in build_segments(run).sentences if "alone explains" in one)
    assert advice in said
    assert ("Plan by segment" in said) == (segments == max(segments, rule, 0))


def test_only_a_fall_by_more_than_noise_is_told_and_as_expected(monkeypatch):
    run = made_up(monkeypatch)
    assert not any("Win them back" in one for one in build_segments(run).sentences)
    run = made_up(monkeypatch)
    run.experiment.histories = falling(run.experiment.histories)
    part = build_segments(run)
    (said,) = (one for one in part.sentences if "Win them back" in one)
    change = (pl.col("value_a_week") - pl.col("expected_a_week")) * pl.col("users")
    most = part.tables["segment_profiles"].with_columns(change=change).sort("change").row(-1, named=True)
    share = 1 - most["expected_a_week"] / most["value_a_week"]
    assert said == (
        f'The {most["users"]} users of "{most["segment"]}" are expected to buy less than they used to, by '
        f"{share:.0%}: {most['change']:,.0f} sales value a week in all. Win them back. "
        f"They are expected to spend {most['spend_expected']:,.0f} in the next {run.customer_forecast.days} days (80% "
        f"range of the sum: {most['spend_low']:,.0f} to {most['spend_high']:,.0f})."
    )


def test_segments_carry_what_their_members_are_expected_to_spend(monkeypatch):
    """Sums by plain polars of what the customers' forecast says; of a log without values they are null, and unsaid."""
    run = made_up(monkeypatch)
    part, found = build_segments(run), run.customer_forecast
    ids = run.experiment.histories.users["user"].gather(found.now.user)
    each = part.tables["segments"].join(pl.DataFrame({"user": ids, "spend": found.spend}), on="user")
    plain = each.group_by("segment").agg(pl.len(), pl.col("spend").sum())
    both = part.tables["segment_profiles"].join(plain, on="segment", maintain_order="left")
    assert both.height == part.tables["segment_profiles"].height
    assert both["customers"].to_list() == both["len"].to_list()
    assert both["spend_expected"].to_list() == pytest.approx(both["spend"].to_list())
    assert ((both["spend_low"] < both["spend"]) & (both["spend"] < both["spend_high"])).all()
    (table,) = (block for block in part.blocks if getattr(block, "title", "") == "Segments")
    assert table.rows["spend to come"].to_list() == both["spend_expected"].to_list()
    assert all("They are expected to spend" in one for one in part.sentences if one.kind == "do")
    without = build_segments(made_up(monkeypatch, worth=None))
    assert (
        without.tables["segment_profiles"]["spend_expected"].null_count() == without.tables["segment_profiles"].height
    )
    (table,) = (block for block in without.blocks if getattr(block, "title", "") == "Segments")
    assert "spend to come" not in table.rows.columns
    assert "What members will spend is not known" in table.note
    assert not any("to spend" in one for one in without.sentences)


@pytest.mark.parametrize(("falling", "told"), [(1, False), (40, True)])
def test_a_fall_that_one_user_carries_is_noise(monkeypatch, falling, told):
    real = build.segmentation

    def found(trajectories, seed):
        one = real(trajectories, seed)
        few = np.flatnonzero(one.label == 0)[:falling]
        value = np.ones(len(one.label))
        value[few] += 40 / falling
        return replace(one, trajectories=replace(one.trajectories, value=value, value_ahead=np.ones(len(value))))

    monkeypatch.setattr(build, "segmentation", found)
    assert any("Win them back" in one for one in build_segments(made_up(monkeypatch)).sentences) == told


def test_the_fall_of_a_group_of_one_is_noise(monkeypatch):
    run = made_up(monkeypatch)
    h = run.experiment.histories
    whale = np.arange(h.num_events) < h.offsets[1] - 9  # one user, who bought much until lately
    run.experiment.histories = replace(h, value=np.where(whale, 200, h.value).astype(np.float32))
    part = build_segments(run)
    falls = part.tables["segment_profiles"].filter(pl.col("expected_a_week") < 0.9 * pl.col("value_a_week"))
    assert falls["users"].to_list() == [1]
    assert not any("Win them back" in one for one in part.sentences)


def test_a_low_spell_of_chance_is_no_fall(monkeypatch):
    """The spell of the last weeks is as deep, but in the weeks held out none went on."""
    run = made_up(monkeypatch)
    h = run.experiment.histories
    lately = h.time > h.now - 9 * WEEK
    run.experiment.histories = replace(h, value=np.where(lately, h.value / 2, h.value).astype(np.float32))
    part = build_segments(run)
    assert not any("Win them back" in one for one in part.sentences)
    assert any("to come: so far and 0% of what" in getattr(block, "note", "") for block in part.blocks)
    run = made_up(monkeypatch, kind="leave_last")
    run.experiment.histories = falling(run.experiment.histories)
    part = build_segments(run)
    assert not any("Win them back" in one for one in part.sentences)
    assert any("no weeks were held out to tell" in getattr(block, "note", "") for block in part.blocks)


def test_groups_that_are_not_stable_are_not_said_to_be(monkeypatch):
    run = made_up(monkeypatch)
    part = build_segments(run)
    assert "There are as many groups as stay the same" in part.blocks[0].words
    assert not part.sentences[0].startswith("Do not rely")
    real = segmentation.choose_grouping

    def unstable(*given):
        grouping, found = real(*given)
        return grouping, replace(found, bootstrap=0.57)

    monkeypatch.setattr(segmentation, "choose_grouping", unstable)
    part = build_segments(run)
    assert "the largest number with an agreement" not in part.blocks[0].words
    assert "No number of groups" in part.blocks[0].words
    assert part.sentences[0].startswith("Do not rely on these groups")
    assert not any("Keep them first" in sentence for sentence in part.sentences)
    assert "0.57" in part.sentences[0]


def test_of_a_log_of_views_nothing_is_said_to_be_bought(monkeypatch):
    run = made_up(monkeypatch)
    run = with_views(run, np.ones(run.experiment.histories.num_events))
    run.experiment.histories = replace(run.experiment.histories, event_types=("view",))
    part = build_segments(run)
    words = " ".join([*part.sentences, part.blocks[0].words, part.blocks[1].title])
    assert "event_types.view=input,target,sale" in words
    assert "of the views" in words
    assert "share of views" in part.blocks[2].rows.columns
    assert not {"buy", "bought", "buying"} & set(words.replace(",", " ").split())


def test_the_page_says_where_items_had_before_are_not_foretold(monkeypatch):
    run = made_up(monkeypatch)
    assert "evaluation.seen" not in build_segments(run).blocks[0].words
    run.config = CONFIG.copy_and_resolve_references()
    run.config.evaluation.seen = "filter"
    words = build_segments(run).blocks[0].words
    assert "leaves out items that a user has had (evaluation.seen=filter)" in words
    assert "in the next 2 events: their shares" in words
