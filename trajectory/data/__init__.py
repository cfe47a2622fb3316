"""Raw log -> clean histories -> batches."""
