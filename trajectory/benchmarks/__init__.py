"""Measurements that trajectory bench runs by name: one file for each subject."""
