"""Whether it pays to begin with what other domains taught, where a target has few users to learn from.

python scripts/sweep.py --config=configs/finetune.py:target=amazon_beauty,init=runs/sources \
    --sweep=configs/sweeps/transfer_few.py --out=runs/few --seeds=0,1,2
"""

from configs.sweeps.common import Member, Sweep

STARTS = {
    "ids": "start=scratch,by=ids",
    "prior_ids": "start=scratch,by=prior+ids",
    "content_without_prior": "start=scratch",
    "content": "start=scratch",
    "pretrained": "start=pretrained",
    "pretrained_readout": "start=pretrained,readout=true",
    "frozen": "start=frozen",
    "zero_shot": "start=zero_shot",
}


def starts(*shares: float) -> Sweep:
    """Each start with each share of the target's users; the base is content from scratch with the first share."""
    members = {
        f"{name}_{100 * share:.0f}": Member(
            {"content.kept": 0} if name == "content_without_prior" else {}, f"{start},users={share}"
        )
        for share in shares
        for name, start in STARTS.items()
    }
    return Sweep(f"content_{100 * shares[0]:.0f}", members)


def get_sweep() -> Sweep:
    """Of 5 % and of 1 % of the users."""
    return starts(0.05, 0.01)
