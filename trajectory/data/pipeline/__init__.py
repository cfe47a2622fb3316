"""Histories -> batches: splits, features of events, packing, and the Grain pipeline."""
