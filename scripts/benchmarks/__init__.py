"""Measurements that scripts/bench.py runs by name: one file for each subject."""
