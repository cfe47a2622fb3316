"""Config -> checkpoint."""
