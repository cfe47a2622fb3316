"""What is wrong with rows and logs: doubts, duplicates, outliers, and the rows that are set aside with reasons."""
