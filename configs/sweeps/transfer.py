"""Whether it pays to begin a target with what other domains taught, by how many of its users there are to learn from.

python scripts/sweep.py --config=configs/finetune.py:target=amazon_beauty,init=runs/sources \
    --sweep=configs/sweeps/transfer.py --out=runs/transfer --seeds=0 --workers=2
"""

from configs.sweeps.common import Member, Sweep

USERS = (0.01, 0.05, 0.2, 1.0)  # share of the target's users that train
STARTS = {
    "ids": "start=scratch,by=ids",
    "content_without_prior": "start=scratch",
    "content": "start=scratch",
    "pretrained": "start=pretrained",
    "frozen": "start=frozen",
    "zero_shot": "start=zero_shot",
}


def get_sweep() -> Sweep:
    """Each start with each share of users; the base is content from scratch with 5 %."""
    members = {
        f"{name}_{share:.0%}".rstrip("%"): Member(
            {"content.kept": 0} if name == "content_without_prior" else {}, f"{start},users={share}"
        )
        for share in USERS
        for name, start in STARTS.items()
    }
    return Sweep("content_5", members)
