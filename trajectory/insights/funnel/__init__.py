"""From a view to the cart to the purchase: how many sessions go on."""
