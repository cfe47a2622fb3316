"""Forecasts whose probabilities hold: recalibration and conformal sets, fitted on validation users."""
