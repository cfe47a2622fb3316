"""Each customer: orders and spend to come, whether they are lost, what they turn to, and what to do."""
