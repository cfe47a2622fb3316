"""The item table of a log, and what groups its items."""
