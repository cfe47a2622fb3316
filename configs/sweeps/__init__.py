"""Presets of sweeps and searches: a sweep file has `get_sweep()`, a search file `suggest(trial)`."""
