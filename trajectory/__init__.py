"""trajectory: learns how shoppers' interests move, from behaviour logs to forecasts with probabilities."""
