"""What calls give back: one file for each kind of result."""
