"""The tables that are printed."""

from __future__ import annotations

from trajectory.insights.segments.evaluation_page import holdout_accuracy
from trajectory.insights.segments.markdown_report import markdown
from trajectory.reports.words import Words


def test_households_are_of_the_segments_that_were_measured_and_the_page_says_so():
    household = {"column": "age", "users": 801, "strength": 0.2, "p_value": 0.01}
    measured = {
        "segments": 12,
        "stability": {"segments": {"seeds": 0.9, "bootstrap": 0.8}},
        "separation": {"segments": 0.1},
        "spend": None,
        "redemption": None,
        "association": {"segments": [household]},
    }
    blocks = holdout_accuracy(measured, 1_507_507_200, Words("lines", "buy", "bought", "buying"))
    assert blocks[-1].title == "Segments and households"
    assert blocks[-1].note.startswith("Of 12 segments made as of 09 October 2017 by what was known then.")


def test_each_segmentation_is_a_row_beside_the_lead_over_it():
    lead = {"difference": 0.1, "low": 0.05, "high": 0.15, "p_value": 0.002}
    spend = {"r2": 0.5, "absolute": 2.0, "absolute_interval": (1, 3), "lead_r2": lead, "lead_absolute": lead}
    names = ("segments", "RFM k-means")
    household = {"column": "age", "users": 801, "strength": 0.2, "p_value": 0.01}
    measured = {
        "users": 10,
        "destinations": 2,
        "segments": 3,
        "stability": {name: {"seeds": 0.9, "bootstrap": 0.8} for name in names},
        "separation": dict.fromkeys(names, 0.1),
        "spend": {name: spend for name in (*names, "no segments")},
        "redemption": {
            "recipients": 5,
            "asked": 7,
            "redeemed": 2,
            "auc": {name: {"auc": 0.6, "interval": (0.5, 0.7), "lead": (-0.1, 0.2)} for name in names},
        },
        "association": {name: [household] for name in names},
        "recovery": {13: {"different": 0.75, "rand": 0.5}},
    }
    lines = markdown(measured).splitlines()
    assert "| segments | 0.900 | 0.800 | 0.100 | 0.5000 | 2.00 | 0.600 (0.500 to 0.700) |" in lines
    row = "| RFM k-means | 0.900 | 0.800 | 0.100 | 0.5000 (+0.100, +0.050 to +0.150, p 0.002) "
    row += "| 2.00 (+0.100, +0.050 to +0.150, p 0.002) | 0.600 (0.500 to 0.700; -0.100 to +0.200) |"
    assert row in lines
    assert "7 times 5 users got a campaign, 2 redeemed" in lines
    assert "| age | 801 | 0.20 (p 0.010) | 0.20 (p 0.010) |" in lines
    assert lines[-1] == "new within 13 weeks: different 0.750, rand 0.500"
    bare = markdown({**measured, "spend": None, "redemption": None, "association": None, "recovery": {}})
    assert "| segments | 0.900 | 0.800 | 0.100 |  |  |  |" in bare
