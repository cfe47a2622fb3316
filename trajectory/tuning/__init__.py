"""Many runs of one config: sweeps, searches, and the workers that train them."""
