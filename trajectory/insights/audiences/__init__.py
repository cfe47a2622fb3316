"""Audiences: who will buy because an interest is arriving, when, and who answers a campaign."""
