"""What was measured of segments, as Markdown."""

from __future__ import annotations

from typing import Any

from trajectory.insights.segments.comparison import compare
from trajectory.insights.segments.evaluate import NONE, OURS
from trajectory.run import Run


def of_run(run: Run) -> str:
    """What `compare` measures of a run, as tables."""
    return markdown(compare(run))


def markdown(measured: dict[str, Any]) -> str:
    """Tables of stability and use beside rivals, with the segments' paired lead, and of association with households;
    lines of how far segments tell planted new interests apart.
    """
    m = measured
    lines = [
        f"{m['users']:,} users, {m['destinations']} destinations, {m['segments']} segments; rivals have as many groups",
        "",
        "| segmentation | ARI seeds | ARI bootstrap | silhouette | R2 of spend (lead of segments) "
        "| error a week (lead of segments) | redemption AUC (interval; lead of segments) |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name in [OURS, *(name for name in m["stability"] if name != OURS), NONE]:
        lines.append(f"| {name} | {' | '.join([*_stable(m, name), *_spend(m, name), _redemption(m, name)])} |")
    if m["redemption"]:
        redemption = m["redemption"]
        lines += ["", "{asked:,} times {recipients:,} users got a campaign, {redeemed:,} redeemed".format(**redemption)]
    if m["association"]:
        lines += ["", "| household | users | " + " | ".join(m["association"]) + " |"]
        lines += ["|---|--:|" + "--:|" * len(m["association"])]
        for row in zip(*m["association"].values(), strict=True):
            cells = [f"{association['strength']:.2f} (p {association['p_value']:.3f})" for association in row]
            lines.append(f"| {row[0]['column']} | {row[0]['users']} | {' | '.join(cells)} |")
    for weeks, scores in m["recovery"].items():
        lines += [
            "",
            f"new within {weeks} weeks: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()),
        ]
    return "\n".join(lines)


def _stable(m: dict[str, Any], name: str) -> list[str]:
    if name == NONE:
        return [""] * 3
    stable = m["stability"][name]
    return [f"{stable['seeds']:.3f}", f"{stable['bootstrap']:.3f}", f"{m['separation'][name]:.3f}"]


def _spend(m: dict[str, Any], name: str) -> list[str]:
    if not m["spend"]:
        return [""] * 2
    told = m["spend"][name]
    squared, absolute = told["r2"], told["absolute"]
    return [f"{squared:.4f}{_lead(told['lead_r2'], name)}", f"{absolute:.2f}{_lead(told['lead_absolute'], name)}"]


def _lead(lead: dict[str, float], name: str) -> str:
    if name == OURS:
        return ""
    return f" ({lead['difference']:+.3f}, {lead['low']:+.3f} to {lead['high']:+.3f}, p {lead['p_value']:.3f})"


def _redemption(m: dict[str, Any], name: str) -> str:
    if not m["redemption"] or name == NONE:
        return ""
    told = m["redemption"]["auc"][name]
    lead = "" if name == OURS else "; {:+.3f} to {:+.3f}".format(*told["lead"])
    return f"{told['auc']:.3f} ({told['interval'][0]:.3f} to {told['interval'][1]:.3f}{lead})"
