"""What a log's folder says beside its events: campaigns, promotions, households."""
