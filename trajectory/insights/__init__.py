"""What users' behaviour and forecasts say to a merchant: interest states, migrations, flows between interests."""
