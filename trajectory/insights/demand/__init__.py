"""Demand: what the users' forecasts, the series and planned promotions say of the next weeks, and what to order."""
