"""python -m trajectory, the same as the command `trajectory`."""

from trajectory.cli.main import main

if __name__ == "__main__":
    main()
