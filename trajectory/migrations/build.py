"""The migrations of a run's users, looked for and forecast, as one result with its tables and its page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trajectory.data.ingest.source.data_frames import as_path
from trajectory.data.store.sample import with_first_look
from trajectory.migrations.attention import attention
from trajectory.migrations.clusters import with_interests
from trajectory.migrations.flows import migration_matrix
from trajectory.migrations.groups import read_segments
from trajectory.migrations.migration import Settings, detect
from trajectory.migrations.migration_forecast import forecast_migrations, largest_moves
from trajectory.migrations.page import write_migrations
from trajectory.migrations.transitions import table
from trajectory.results.migrations import Migrations
from trajectory.run import Run
from trajectory.schema import UserError

if TYPE_CHECKING:
    from trajectory.data.ingest.source.data_frames import Log


def migrations(run: Run, settings: Settings, forecast: bool = True, segments: Log | None = None) -> Migrations:
    """What `detect` finds in the run's log and, if asked, what the run forecasts; a reason says where it cannot.

    `segments`: see `read_segments`.
    """
    histories, notes = with_interests(run)
    segment = None
    if segments is not None:
        with as_path(segments) as path:
            segment = read_segments(path, histories)
    detected, ahead = detect(histories, settings), None
    tables, markdown = {"tested": detected.tested, "flows": migration_matrix(detected.moves)}, ""
    if forecast:
        try:
            ahead = forecast_migrations(run, detected)
            tables["forecast"] = largest_moves(ahead, histories)
            markdown = table(ahead.check) if ahead.check else ""
            notes += [ahead.standing.warning] if ahead.standing.warning else []
            notes += [f"interests are {ahead.interests_are}"] if ahead.interests_are else []
        except UserError as reason:
            notes.append(f"no forecast: {reason}")
    if looked := attention(histories, settings.session_timeout):
        tables |= {"attention": looked.shares, "lag": looked.lag}
    note = with_first_look(run.config.note, run.experiment.histories)
    page = partial(
        write_migrations,
        detected,
        name=run.config.name,
        note=note,
        forecast=ahead,
        segment=segment,
        attention=looked,
    )
    return Migrations(detected.moves, tables, tuple(notes), markdown, page=page)
