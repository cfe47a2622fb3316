"""Anyone's log: a file or folder, be it public raw data in a known format (docs/formats.md) or a shop's own table.

trajectory train --config=own_log:path=LOG,model=hybrid,split=leave_one_out --workdir=runs/mine
trajectory train --config=own_log:path=LOG,goal=insights,model=gru --workdir=runs/pages   # for trajectory insights

Sizes, length and epochs are set from the data and stated; name columns with --config.data.columns.user=... where they
are not found by their names.
"""

import os.path

from ml_collections import ConfigDict

from trajectory.data.formats import FORMATS
from trajectory.data.ingest.source.names import file_name
from trajectory.schema import UserError
from trajectory.settings import fill, parse_arg, recipes

GOALS = ("next", "insights")


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: path (a file or folder), format (of public raw files: docs/formats.md; found by their shape if not
    given), split (leave_one_out, leave_last or temporal), baskets (yes: events of one time or order are one step), user
    (the only user's id, for a log without a user column), goal (next: forecasts of the next step; insights: the
    pages of `trajectory insights`, split by time), model, tiny.
    """
    arg, path = _with_commas(arg)
    args = parse_arg(
        arg, path=path, format="auto", split="leave_one_out", baskets=False, user="", goal="next", model="hybrid"
    )
    if not args.path:
        raise UserError(
            "expected own_log:path=LOG with a file, a folder or tfds:<name>; public raw files need no more, "
            f"or format=NAME, one of {', '.join(FORMATS)}"
        )
    c = recipes.own_log(args.path, file_name(args.path), args.model, args.split, args.tiny)
    fill(c, {"data.format": args.format, "data.baskets": args.baskets, "data.single_user": args.user})
    if args.goal not in GOALS:
        raise UserError(f"goal={args.goal} is unknown; expected one of {', '.join(GOALS)}")
    if args.goal == "insights":
        recipes.for_insights(c)
    return c


def _with_commas(arg: str) -> tuple[str, str]:
    """The argument without its path, and the path, where a path with commas in it is there; else as it is, and ""."""
    parts = (arg or "").split(",")
    first = next((i for i, part in enumerate(parts) if part.startswith("path=")), len(parts))
    for last in range(len(parts), first + 1, -1):
        path = ",".join(parts[first:last]).removeprefix("path=")
        if os.path.exists(os.path.expanduser(path)):  # false of a path that is too long, too
            return ",".join(parts[:first] + parts[last:]), path
    return arg, ""
