"""Writes a log with planted migrations and causes, and its truth: synthesize.py --users=2000."""

from __future__ import annotations

from absl import flags

from trajectory import cli
from trajectory.data.synthetic import Synthetic, write

OUT = flags.DEFINE_string("out", "prepared/synthetic_log", "folder to write; an earlier log there is replaced")
USERS = flags.DEFINE_integer("users", Synthetic.users, "number of users, each with about 180 events a year")
SEED = flags.DEFINE_integer("seed", 0, "of all random draws")


def main() -> None:
    """Generates and writes the log."""
    write(Synthetic(users=USERS.value), OUT.value, SEED.value)
    print(f"Wrote {OUT.value}/interactions.parquet, items.parquet and the planted truth in {OUT.value}/truth/.")


if __name__ == "__main__":
    cli.run(main)
