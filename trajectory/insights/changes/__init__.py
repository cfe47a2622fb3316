"""What changed lately in a shop, by counting: customers, orders, pieces, sales, interests and items."""
