"""What was a sale and what was none: types of event, statuses of orders, flags, refunds, lines of no goods."""
