"""The command `trajectory`: one file a sub-command, with its flags, its help and one call."""
