"""How good forecasts of several steps are, by step."""
