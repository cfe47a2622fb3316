"""Interest states of users over time, lasting changes of them, and where they are going."""
