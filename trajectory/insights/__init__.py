"""What users' behaviour and forecasts say to a merchant: migrations, recommendations, segments, audiences, demand."""
