"""Campaigns: who answers them, and what addressing is worth."""
