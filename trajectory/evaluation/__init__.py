"""Checkpoint -> numbers."""
