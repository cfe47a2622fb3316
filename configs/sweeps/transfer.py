"""Whether it pays to begin with what other domains taught, with this share of the target's users to learn from.

trajectory sweep --config=finetune:target=amazon_beauty,users=0.05,init=runs/sources \
    --sweep=transfer --out=runs/beauty_5 --seeds=0,1,2 --metrics=ndcg@10,hr@10,hr@10_cold
"""

from trajectory.tuning.members import Member, Sweep


def get_sweep() -> Sweep:
    """From scratch by ids and by content in several ways, and what can be made of the sources' run."""
    return Sweep(
        "content",
        {
            "ids": Member(argument="start=scratch,by=ids"),
            "near_ids": Member(argument="start=scratch,by=near+ids"),
            "prior_ids": Member(argument="start=scratch,by=prior+ids"),
            "prior": Member({"train.epochs": 0}, "start=scratch"),  # nothing learned, neither there nor here
            "content_without_prior": Member({"content.frozen": 0}, "start=scratch"),
            "content": Member(argument="start=scratch"),
            "pretrained": Member(argument="start=pretrained"),
            "frozen": Member(argument="start=frozen"),
            "zero_shot": Member(argument="start=zero_shot"),
        },
    )
