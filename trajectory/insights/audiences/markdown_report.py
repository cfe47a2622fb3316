"""What was measured of audiences and campaigns, as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trajectory.insights.audiences.comparison import Asked, compare
from trajectory.run import Run
from trajectory.writing import write_json


def of_run(run: Run, asked: Asked, out: Path | None = None) -> str:
    """What `compare` measures of a run, as tables; audiences.json in the folder `out`, if named, has all numbers."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    measured = compare(run, asked)
    if out is not None:
        write_json(measured, out / "audiences.json")
    return markdown(measured)


def markdown(measured: dict[str, Any]) -> str:
    """The tables as text."""
    lines = []
    for name, result in measured.items():
        if name == "uplift":
            lines += _uplift(result)
        elif name.endswith("validation"):
            lines += [f"\n{name}, half of the users", "", "| learned from | all users | arriving |", "|---|--:|--:|"]
            lines += [f"| {of} | {a['all users']:.4f} | {a['arriving']:.4f} |" for of, a in result.items()]
        elif "methods" in result:
            lines += [
                f"\n{name}: {len(result['campaigns'])} campaigns ({', '.join(result['campaigns'])}) of "
                f"{result['expected']}",
                f"forecast; {result['recipients']:,} recipients, {result['answers']:,} answers",
                *_methods(result),
            ]
        else:
            for of, part in result.items():
                lines += [f"\n{name}, {of}: {part['groups']} of them, {part['users']:,} users"]
                lines += [f"{part['asked']:,} pairs, {part['bought']:,} bought", *_methods(part)]
    return "\n".join(lines)


def _methods(result: dict[str, Any]) -> list[str]:
    lines = ["", "| ranked by | AUC | 95 % | lift at 10 % | ours less this | p (Holm) |", "|---|--:|--:|--:|--:|--:|"]
    for name, of in result["methods"].items():
        lead = result["leads"].get(name)
        told = f"{lead['difference']:+.4f} ({lead['low']:+.4f} to {lead['high']:+.4f})" if lead else ""
        p = f"{lead['p_value']:.3f}" if lead else ""
        lines.append(
            f"| {name} | {of['auc']:.4f} | {of['low']:.4f} to {of['high']:.4f} | {of['lift']:.2f} | {told} | {p} |"
        )
    of = result["calibration"]
    band = f"band of a perfect model {of['low']:.4f} to {of['high']:.4f}"
    within = f"within it for {of['share_within_sampling_error']:.0%} of them one by one"
    return [*lines, "", f"calibration error {of['ece']:.4f}, {band}; {within}"]


def _uplift(uplifts: list[dict[str, Any]]) -> list[str]:
    lines = ["\nuplift", "", "| campaign | recipients | others | as they are | weighted alike | the weeks before |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for uplift in uplifts:
        parts = [f"{of[0]:+.3f} ({of[1]:+.3f} to {of[2]:+.3f})" for of in (uplift["during"], uplift["before"])]
        sizes = f"{uplift['recipients']:,} | {uplift['others']:,}"
        lines.append(f"| {uplift['campaign']} | {sizes} | {uplift['plain']:+.3f} | {' | '.join(parts)} |")
    return lines
