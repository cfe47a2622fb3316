"""Reads, cleans and stores the log of a config and describes it: python scripts/prepare.py --config=configs/X.py."""

from trajectory import cli
from trajectory.data.arrays import describe
from trajectory.data.builder import prepare

_CONFIG = cli.config_flags.DEFINE_config_file(
    "config", "configs/complete_journey.py", "the config; its data is prepared"
)


def main() -> None:
    """Prepares `config.data`; a second call re-uses the first one's result."""
    print(describe(prepare(_CONFIG.value.data)))


if __name__ == "__main__":
    cli.run(main)
