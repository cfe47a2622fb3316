"""Numbers of predictions and observed events: ranking, probabilities, sequences, significance."""
