"""What is said of a log before anything is trained: columns, times, doubts with their settings, rows set aside."""

from pathlib import Path

import pytest
from ml_collections import ConfigDict

from tests.commands import run
from tests.pages import barriers, opened
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.faults import REASONS
from trajectory.inspection.words import REMEDIES
from trajectory.settings import base


def _settings(log: Path) -> ConfigDict:
    data = base().data
    data.source = str(log)
    return data


DAYS = [f"2024-03-{day:02}" for day in range(1, 29)]


def dirty(folder: Path) -> Path:
    """A log with a program, guests, missing users, a word of its own, prices with a comma, and hostile names."""
    rows = [
        f"u{i % 40};a{i % 30};{DAYS[i % 28]} 10:00;{('view', 'seen', 'buy')[i % 3]};2,50 €;c{i % 30 % 4}"
        for i in range(400)
    ]
    rows += [f"robot;a{i % 30};2024-03-05 1{i // 60}:{i % 60:02};view;1,00 €;c{i % 30 % 4}" for i in range(300)]
    rows += [f"guest;a{i % 30};{DAYS[i % 28]} 12:{i % 60:02};view;;c{i % 30 % 4}" for i in range(200)]
    rows += ["NA;a1;2024-03-05 10:00;view;;c1"] * 40
    rows += [
        "u1;<script>alert(1)</script>;2024-03-05 10:00;view;on request;c9",
        "u1;<script>alert(1)</script>;soon;view;;c1",
    ]
    path = folder / "shop.csv"
    path.write_text("customer;sku;noted;action;price;group\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, list[Path]]:
    """The page, what was printed, and the files that are there afterwards."""
    folder = tmp_path_factory.mktemp("inspect")
    log = dirty(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        printed = run("inspect", str(log)).out
    return (folder / "inspect.html").read_text(encoding="utf-8"), printed, sorted(folder.iterdir())


def test_nothing_but_the_page_is_written(page: tuple[str, str, list[Path]]) -> None:
    assert [path.name for path in page[2]] == ["inspect.html", "shop.csv"]


@pytest.mark.parametrize(
    "words",
    [
        "942",
        "set aside: missing user",
        "data.event_type_map={'seen': TYPE} with what it means",
        "first 'robot' with 300",
        "data.cleaning.max_events_per_day=",
        "'guest' has 200 of",
        "data.missing=guest",
        "group could be them",
        "data.interest_column=group",
        "by what it holds",
        "from 2024-03-01 to 2024-03-28",
        "price has a decimal comma",
        "on request",
        "unparsable time",
        "soon",
        "input, target, sale",
    ],
)
def test_the_page_and_the_lines_say(page: tuple[str, str, list[Path]], words: str) -> None:
    html, printed, _ = page
    escaped = words.replace("'", "&#39;")
    assert escaped.lower() in html.lower()
    assert words.lower() in printed.lower()


def test_all_that_was_noted_is_said(tmp_path: Path) -> None:
    lines = ["order_id,customer,item,time,quantity,price", "1,c1,a,2024-03-05 10:00,2,4", "1,,b,,1,3"]
    lines += [f"{i},C{i % 9},a{i % 2},2024-03-{i % 28 + 1:02} 10:00,{i % 3 + 1},{i % 3 * 4 + 4}" for i in range(2, 40)]
    log = tmp_path / "orders.csv"
    log.write_text("\n".join(lines) + "\n")
    detected = read_log(_settings(log)).detected
    printed = run("inspect", str(log), f"--out={tmp_path / 'page.html'}").out
    assert "1 lines without customer have that of their order" in printed
    assert [note["text"] for note in detected["notes"] if note["text"] not in printed] == []


def test_names_of_the_log_are_no_markup(page: tuple[str, str, list[Path]]) -> None:
    assert "<script>alert" not in page[0]
    assert "&lt;script&gt;alert" in page[0]


def test_settings_change_what_is_understood(tmp_path: Path) -> None:
    log, out = dirty(tmp_path), f"--out={tmp_path / 'page.html'}"
    sets = [
        "data.missing=guest,robot",
        "data.event_type_map={'seen': 'view'}",
        "data.interest_column=group",
        "data.duplicates=keep",
    ]
    code, printed, _ = run("inspect", str(log), out, *(f"--config.{text}" for text in sets))
    assert code == 0
    assert "guest" in printed
    assert "unknown event type" not in printed
    assert "4 values of group" in printed or "5 values of group" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config.data.mising=x"], "did you mean data.missing"),
        (["--config.data.baskets=maybe"], "expected yes or no"),
        (["--config.date.missing=x"], "there is no field date.missing; did you mean data.missing"),
        (["--set=data.missing"], "expected a value behind it"),
        (["--out=page.txt"], "ends in .html"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    ran = run("inspect", str(dirty(tmp_path)), *arguments)
    assert ran.code == 2
    assert words in ran.err


def test_every_reason_has_a_remedy() -> None:
    assert set(REASONS) == set(REMEDIES)


def test_a_word_for_nobody_with_most_of_the_events_is_said_once(tmp_path: Path) -> None:
    rows = [f"{'guest' if i % 2 else f'u{i % 40}'},a{i % 30},{DAYS[i % 28]} 10:{i % 60:02}" for i in range(800)]
    (tmp_path / "log.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    printed = run("inspect", str(tmp_path / "log.csv"), f"--out={tmp_path / 'page.html'}").out
    assert "'guest' has 400 of 800 rows" in printed
    assert "far more events than the rest" not in printed


def test_a_status_read_as_the_type_and_orders_at_one_time_are_advised_on(tmp_path: Path) -> None:
    rows = [f"{i // 2},u{i // 2 % 9},a{i % 30},{DAYS[i // 2 % 28]},{('shipped', 'paid')[i % 2]}" for i in range(200)]
    (tmp_path / "log.csv").write_text("order_id,user,item,date,order_status\n" + "\n".join(rows) + "\n")
    arguments = ["inspect", str(tmp_path / "log.csv"), f"--out={tmp_path / 'page.html'}"]
    status_as_type = run(*arguments, "--config.data.columns.event_type=order_status")
    assert "data.columns.event_type=- data.columns.status=order_status" in status_as_type.out
    kept = run(*arguments, "--config.data.duplicates=keep")
    assert "data.baskets=True makes those of one order_id one step" in kept.out


def test_columns_that_are_features_are_listed(tmp_path: Path) -> None:
    rows = "".join(f"u{i % 7},{i},{i % 2},{i / 8},{i % 3}.5\n" for i in range(60))
    (tmp_path / "log.csv").write_text("uid,timestamp,conversion,cost,score_before\n" + rows)
    printed = run("inspect", str(tmp_path / "log.csv"), f"--out={tmp_path / 'page.html'}").out
    assert "Features of each event: cost, score_before." in printed


@pytest.mark.parametrize("written", ["guest,NA", "('guest', 'NA')", '["guest","NA"]'])
def test_a_list_of_words_is_read_behind_a_space_as_behind_a_sign(tmp_path: Path, written: str) -> None:
    log, out = str(dirty(tmp_path)), f"--out={tmp_path / 'page.html'}"
    joined = run("inspect", log, out, f"--set=data.missing={written}").out
    apart = run("inspect", log, out, "--set", f"data.missing={written}").out
    assert apart == joined
    assert "'guest' has 200 of" not in apart
    assert "data.missing=guest" not in apart


def test_a_word_in_brackets_is_one_of_the_words_of_a_list(tmp_path: Path) -> None:
    rows = [f"{'(guest)' if i % 3 else f'u{i % 40}'},a{i % 30},{DAYS[i % 28]} 10:{i % 60:02}" for i in range(90)]
    (tmp_path / "log.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    arguments = [str(tmp_path / "log.csv"), f"--out={tmp_path / 'page.html'}", "--set=data.missing=(guest)"]
    assert "60 rows set aside" in run("inspect", *arguments).out


@pytest.mark.parametrize("written", ["yes", "true", "True", "1"])
def test_yes_or_no_is_read_in_every_way_of_writing_it(tmp_path: Path, written: str) -> None:
    log, out = str(dirty(tmp_path)), f"--out={tmp_path / 'page.html'}"
    assert run("inspect", log, out, f"--set=data.baskets={written}").code == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way(tmp_path: Path, scheme: str) -> None:
    run("inspect", str(dirty(tmp_path)), f"--out={tmp_path / 'page.html'}")
    with opened(tmp_path / "page.html", color_scheme=scheme) as tab:
        assert barriers(tab) == []
