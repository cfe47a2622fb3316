"""The command `trajectory measure-conversions`, of a checkout."""

from trajectory.cli.main import main

if __name__ == "__main__":
    main("measure-conversions")
