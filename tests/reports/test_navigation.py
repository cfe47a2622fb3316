"""Pages of a run lead to each other, whichever was written last, and none to a page that is not there."""

from __future__ import annotations

import re

from trajectory.reports import navigation


def written(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"<p>before</p>{navigation.links(folder / name)}<p>after</p>", encoding="utf-8")
        navigation.refresh((folder / name).parent)


def lead(page):
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<p>before</p><!--pages-->")
    assert text.endswith("<!--/pages--><p>after</p>")
    return re.findall(r'<a href="([^"]*)">', text), re.findall(r"<b[^>]*>([^<]*)</b>", text)


def test_each_page_leads_to_all_others(tmp_path):
    written(tmp_path, "report.html")
    assert lead(tmp_path / "report.html") == ([], [])
    written(tmp_path, "attributions.html", "migration.html")
    assert lead(tmp_path / "report.html") == (["migration.html", "attributions.html"], ["Results and forecasts"])
    assert lead(tmp_path / "migration.html") == (["report.html", "attributions.html"], ["Who moved where"])


def test_a_page_that_went_is_not_led_to_any_more(tmp_path):
    written(tmp_path, "report.html", "attributions.html")
    (tmp_path / "attributions.html").unlink()
    written(tmp_path, "migration.html")
    assert lead(tmp_path / "report.html")[0] == ["migration.html"]


def test_pages_of_the_inner_run_and_of_that_around_it_lead_to_each_other(tmp_path):
    written(tmp_path, "report.html", "insights/insights.html")
    assert lead(tmp_path / "report.html")[0] == ["insights/insights.html"]
    assert lead(tmp_path / "insights" / "insights.html")[0] == ["../report.html"]


def test_a_page_of_another_program_stays_as_it_is(tmp_path):
    (tmp_path / "report.html").write_text("<p>mine</p>")
    written(tmp_path, "migration.html")
    assert (tmp_path / "report.html").read_text() == "<p>mine</p>"
