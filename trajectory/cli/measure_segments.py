"""Measures segments compared with other ways to segment.

trajectory measure-segments --workdir=runs/insights

Prints a Markdown table: stability, what the segment alone says of the next quarter's spend and of who redeems
campaigns, and how far segments go together with households. Settings were chosen on a run with an earlier cut. On a
log of `trajectory synthesize`, split by time, also whether long-term and new interests are different segments.
"""

from pathlib import Path

from absl import flags

from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, finds its segments, measures and prints."""
    parallel.start()
    from trajectory.insights.segments.markdown_report import of_run
    from trajectory.run import load_run

    print(of_run(load_run(Path(WORKDIR.value))))
