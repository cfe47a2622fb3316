"""Which sources and objectives of pretraining help a target: runs of `pretrain` with more of either.

for name in amazon all; do trajectory train --workdir=runs/sources_$name \
    --config=pretrain:sources=$name,target=amazon_beauty; done
for name in reconstruct contrast; do trajectory train --workdir=runs/sources_$name \
    --config=pretrain:sources=amazon,target=amazon_beauty --config.heads.$name=0.2; done
trajectory sweep --config=finetune:target=amazon_beauty,users=0.05 \
    --sweep=sources --out=runs/beauty_sources --metrics=ndcg@10,hr@10 --workers=2
"""

from trajectory.tuning.members import Member, Sweep

SOURCES = ("amazon", "all", "reconstruct", "contrast")


def get_sweep() -> Sweep:
    """From scratch by content, the base, and each run of `SOURCES`, finetuned and as it is."""
    members = {"content": Member(argument="start=scratch")}
    for name in SOURCES:
        for start in ("pretrained", "zero_shot"):
            members[f"{name}_{start}"] = Member(argument=f"start={start},init=runs/sources_{name}")
    return Sweep("content", members)
