"""The command `trajectory report`, of a checkout."""

from trajectory.cli.main import main

if __name__ == "__main__":
    main("report")
