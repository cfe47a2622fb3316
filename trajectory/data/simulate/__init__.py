"""Made-up logs with a known truth."""
