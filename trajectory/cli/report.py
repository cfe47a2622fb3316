"""From a log to all pages for a merchant: what to act on, forecasts, migrations, and why.

trajectory report LOG [--workdir=runs/report] [--config.data.columns.user=shopper]

LOG is a file or a folder. Trains a model with a split by time, whose sizes follow from the data, and writes
insights.html, report.html, migration.html and attributions.html with their tables. The same command again goes on
where it was stopped.
"""

from typing import get_args

from absl import flags

from trajectory.cli.command import define_fields, define_language, next_command
from trajectory.expected import Backbone
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", "runs/report", "folder of the run")
MODEL = flags.DEFINE_enum("model", "gru", get_args(Backbone), "what reads the histories")
TINY = flags.DEFINE_boolean("tiny", False, "a first look, at few users with small sizes")
LANGUAGE = define_language()
FIELDS = define_fields("a setting, such as --config.data.day_first=yes")


def main(log: str) -> None:
    """Trains, writes, names the pages."""
    parallel.start()
    from trajectory.data.ingest.source.names import file_name
    from trajectory.report_job import report
    from trajectory.settings.flags import set_fields
    from trajectory.settings.recipes import own_log

    config = set_fields(own_log(log, file_name(log), MODEL.value, tiny=TINY.value), FIELDS.value)
    for page in report(config, WORKDIR.value, language=LANGUAGE.value):
        print(f"open {page.resolve()}")
    next_command(f"predict --workdir={WORKDIR.value} --events=new_users.csv", "what new users will want")
