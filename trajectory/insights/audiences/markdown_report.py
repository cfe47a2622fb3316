"""What was measured of audiences and campaigns, as Markdown."""

from __future__ import annotations

from typing import Any


def markdown(measured: dict[str, Any]) -> str:
    """The tables as text."""
    lines = []
    for name, one in measured.items():
        if name == "uplift":
            lines += _uplift(one)
        elif name.endswith("validation"):
            lines += [f"\n{name}, half of the users", "", "| learned from | all users | arriving |", "|---|--:|--:|"]
            lines += [f"| {of} | {a['all users']:.4f} | {a['arriving']:.4f} |" for of, a in one.items()]
        elif "methods" in one:
            lines += [
                f"\n{name}: {len(one['campaigns'])} campaigns ({', '.join(one['campaigns'])}) of {one['expected']}"
            ]
            lines += [f"forecast; {one['recipients']:,} recipients, {one['answers']:,} answers", *_methods(one)]
        else:
            for of, part in one.items():
                lines += [f"\n{name}, {of}: {part['groups']} of them, {part['users']:,} users"]
                lines += [f"{part['asked']:,} pairs, {part['bought']:,} bought", *_methods(part)]
    return "\n".join(lines)


def _methods(one: dict[str, Any]) -> list[str]:
    lines = ["", "| ranked by | AUC | 95 % | lift at 10 % | ours less this | p (Holm) |", "|---|--:|--:|--:|--:|--:|"]
    for name, of in one["methods"].items():
        lead = one["leads"].get(name)
        told = f"{lead['difference']:+.4f} ({lead['low']:+.4f} to {lead['high']:+.4f})" if lead else ""
        p = f"{lead['p_value']:.3f}" if lead else ""
        lines.append(
            f"| {name} | {of['auc']:.4f} | {of['low']:.4f} to {of['high']:.4f} | {of['lift']:.2f} | {told} | {p} |"
        )
    of = one["calibration"]
    band = f"band of a perfect model {of['low']:.4f} to {of['high']:.4f}"
    within = f"within it for {of['share_within_sampling_error']:.0%} of them one by one"
    return [*lines, "", f"calibration error {of['ece']:.4f}, {band}; {within}"]


def _uplift(lots: list[dict[str, Any]]) -> list[str]:
    lines = ["\nuplift", "", "| campaign | recipients | others | as they are | weighted alike | the weeks before |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for one in lots:
        parts = [f"{of[0]:+.3f} ({of[1]:+.3f} to {of[2]:+.3f})" for of in (one["during"], one["before"])]
        sizes = f"{one['recipients']:,} | {one['others']:,}"
        lines.append(f"| {one['campaign']} | {sizes} | {one['plain']:+.3f} | {' | '.join(parts)} |")
    return lines
