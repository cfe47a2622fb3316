"""Where a log comes from: domains, files, data frames and TFDS data sets as raw tables, and files beside a log."""
