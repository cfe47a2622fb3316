"""Presets, as trajectory.presets: every file has a `get_config(arg)` whose argument string is typed and strict."""
