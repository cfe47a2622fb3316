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
    from trajectory.insights.segments.evaluate import measure
    from trajectory.insights.segments.markdown_report import markdown
    from trajectory.insights.segments.recovery import QUARTER, planted_interests, score
    from trajectory.insights.segments.segmentation import segmentation
    from trajectory.insights.segments.states import trajectories
    from trajectory.insights.segments.tables import members_table
    from trajectory.run import load_run

    run = load_run(Path(str(WORKDIR.value)))
    cutoff = run.experiment.split.cut_time("test")
    segments = segmentation(trajectories(run, [cutoff])[0], run.config.seed)
    print(markdown(measure(run, segments)))
    for weeks in (QUARTER, 2 * QUARTER):
        truth = None if cutoff is None else planted_interests(Path(run.config.data.source), cutoff, weeks)
        if truth is not None:
            scores = ", ".join(f"{name} {value:.3f}" for name, value in score(members_table(segments), truth).items())
            print(f"\nnew within {weeks} weeks: {scores}")
