"""Reads hundreds of made-up raw logs in the shapes and dirt of real ones.

trajectory fuzz-logs --inputs=500

Good is: the log is refused with one clear sentence, or every row is accounted for. Bad is any other error (a traceback)
or a lost row. Prints the bad ones with their seed, and what was refused, by sentence.
"""

from absl import flags

from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number

INPUTS = number("inputs", 500, "how many logs", at_least(1))
SEED = number("seed", 0, "of the first; the others follow", at_least(0))
KEEP = flags.DEFINE_string("keep", "", "folder for the bad inputs (default: none are kept)")


def main() -> None:
    """Makes, reads and judges each."""
    from trajectory.benchmarks.dirty_logs import judge

    judge(INPUTS.value, SEED.value, KEEP.value)
