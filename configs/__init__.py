"""Settings, no logic: every file has a `get_config(arg)` whose argument string is typed and strict."""
