"""What is understood of a log, shown before anything is trained."""
