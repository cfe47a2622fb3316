"""Audiences: who will buy because an interest is arriving, and when."""
