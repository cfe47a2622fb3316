"""Forecasts to the past events that drove them."""
