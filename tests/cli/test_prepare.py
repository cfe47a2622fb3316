"""`trajectory prepare --dry-run`: what is understood is printed and written, nothing is stored."""

from tests.cli.logs import item_log


def test_a_dry_run_stores_only_the_page(script, tmp_path):
    log, page = item_log(tmp_path / "log.csv"), tmp_path / "page.html"
    ran = script(
        "prepare",
        f"--config=configs/own_log.py:path={log}",
        f"--config.data.prepared_dir={tmp_path / 'prepared'}",
        "--config.data.missing=item 3,item 4",
        "--dry-run",
        f"--out={page}",
    )
    assert ran.code == 0, ran.err
    assert "item 3" in ran.out
    assert "missing item" in page.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"log.csv", "page.html"}
