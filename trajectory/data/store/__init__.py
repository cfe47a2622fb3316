"""A clean log as histories on disk: ordered, stored once for each content and settings, opened memory-mapped."""
