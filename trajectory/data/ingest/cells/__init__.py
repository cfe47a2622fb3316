"""What a cell says: texts, ids, numbers, amounts, dates and words for missing."""
