"""Reads hundreds of made-up raw logs in the shapes and dirt of real ones.

trajectory fuzz-logs --inputs=500

Good is: the log is refused with one clear sentence, or every row is accounted for. Bad is any other error (a traceback)
or a lost row. Prints the bad ones with their seed, and what was refused, by sentence.
"""

from absl import flags

INPUTS = flags.DEFINE_integer("inputs", 500, "how many logs", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "of the first; the others follow")
KEEP = flags.DEFINE_string("keep", "", "folder for the bad inputs (default: none are kept)")


def main() -> None:
    """Makes, reads and judges each."""
    from trajectory.benchmarks.dirty_logs import judge

    judge(INPUTS.value, SEED.value, KEEP.value)
