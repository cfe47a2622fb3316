"""Which items to put before each user: lists over the steps to come, their diversity, and reasons."""
