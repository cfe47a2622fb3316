"""A whole search in one call: try, write, and evaluate the best trial, of which test is read once."""

from __future__ import annotations

from pathlib import Path

from trajectory.evaluation.protocol import table
from trajectory.evaluation.report import TABLED, read_evaluation
from trajectory.results import measured
from trajectory.tuning.search import Search, write_results
from trajectory.tuning.workers import Workers, claim, last_lines


def run_search(search: Search, trials: int, workers: Workers) -> measured.Search:
    """Makes trials until the study has `trials`; writes search.csv and search.md.

    Raises KeyboardInterrupt or SystemExit where a signal stopped the workers.
    """
    notes: list[str] = []

    def evaluate(folder: Path) -> None:
        with claim(folder) as log:
            begin = log.seek(0, 2)
            if workers.run(["evaluate", f"--workdir={folder}"], log):
                notes.append(f"the best trial could not be evaluated: {last_lines(log, begin)}")

    with workers:
        search.work(trials, workers)
        best = search.best()
        if best and best.folder.is_dir() and not (best.folder / "evaluation.json").exists():
            workers.for_each(evaluate, [best.folder])
    markdown = write_results(search)
    workers.leave_if_stopped()
    if best and (best.folder / "evaluation.json").exists():
        markdown += "\n" + table(read_evaluation(best.folder, *TABLED))
    elif best:
        there = f"trajectory evaluate --workdir={best.folder} where it was trained"
        notes.append(f"{best.folder} is not evaluated here: {there}")
    return measured.Search(
        search.table(),
        {"failed": search.failures()},
        notes=tuple(notes),
        markdown=markdown,
        best=best.folder if best else None,
    )
