"""A made-up shop whose every number is known, and its raw exports."""
