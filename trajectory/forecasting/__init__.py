"""Checkpoint + histories -> paths with probabilities."""
