"""Where the time goes, as ratios taken side by side in one run.

trajectory bench [--only=prepare,step,...]

prepare    10 million events of a synthetic log: read, clean, store, flat arrays (goal: 2 minutes, 4 GiB)
preparation  raw logs of 1 to 100 million rows, of text ids, of 5 million users, of 2 million items, of one huge user
           (goals: 8 GiB, time in proportion; half an hour): --only=preparation
input      share of a step that waits for batches (goal: under 5 %), and padding
step       one training step of each backbone on Complete Journey: pmap over all devices against one device
memory     one training step of the GRU on one device: host memory kept between steps against given back
epoch      whole epochs of Amazon Beauty and MovieLens-100K, width 64, against the bare products over the catalogue
           (goals: 1.2 times, and 2 s for MovieLens-100K)
rectools   an epoch of Amazon Beauty against RecTools' by ten of its steps (goal: 30 times as fast); RecTools is run by
           the Python that TRAJECTORY_TORCH_PYTHON names
dense      a dense layer with its gradient against Flax's, on rows of events; dropout: likewise
softmax    cross-entropy with its gradient over 12,101 items against its three bare products (goal: 1.2 times)
million    one step of softmax and Adam at 1,000,000 items, 1,600 targets (goal: 6 s, 2 GiB); alone: --only=million
scaling    an event of a step, and peak memory, against catalogue, length of histories and size of the log (minutes)
ranking    users a second in full-catalogue ranking of Amazon Beauty by a transformer of width 64 (goal: 30,000)
forecast   10 steps of all households of Complete Journey at category level, directly and by 100 sampled paths (goal:
           3 minutes)
many       the same of 100,000 made-up users, in chunks: seconds and peak memory (minutes); alone: --only=many
recurrent  LSTM and GRU without the softmax: a step against torch's on the same padded rows (goal: no slower); torch is
           run by the Python that TRAJECTORY_TORCH_PYTHON names
packed     the same layers: a history of Amazon Beauty in packed rows against one in a row of its own (goal: 3 times as
           fast)
text       vectors of titles by the pretrained encoder: texts a second (goal: 100,000 in 15 minutes)
threads    boosting of audiences with threads that sleep when idle against the default, alone and beside busy processes:
           --only=threads
explain    integrated gradients of histories of Amazon Beauty, and of rows of 50 events, against captum's (goals: 10
           and 2 times as many a second); captum is run by the Python that TRAJECTORY_TORCH_PYTHON names
explain_long  the same of histories of 1,000 events: peak memory; alone: --only=explain_long
migration  precision and recall of migrations planted in synthetic logs, by their mass and the users' activity (goal:
           0.9 each at the default; minutes): --only=migration
"""

from absl import flags

from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number
from trajectory.training import parallel

DEFAULT = ["epoch", "rectools", "dense", "dropout", "softmax", "ranking", "forecast"]
DEFAULT += ["recurrent", "packed", "input", "step", "memory", "text", "explain", "prepare"]
ONLY = flags.DEFINE_list("only", DEFAULT, "which benchmarks, in order")
EVENTS = number("events", 10_000_000, "size of the log of `prepare`", at_least(1000))


def main() -> None:
    """Runs the chosen benchmarks; one whose data or tools are not on this machine says so and is left out."""
    parallel.start()
    from trajectory.benchmarks.registry import run

    run(ONLY.value, EVENTS.value)
