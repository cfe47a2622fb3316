"""Checkpoint + histories -> predictions and forecasts of several steps."""
