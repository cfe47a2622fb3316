"""Which column of a table means what: by its name, by the words of its name, or by what it holds."""
