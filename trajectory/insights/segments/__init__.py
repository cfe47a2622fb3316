"""Segments: users grouped by where their interests are and where they are going, and what that is good for."""
