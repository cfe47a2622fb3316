"""What each field of the items' content brings: without each of them, and some by themselves.

trajectory sweep --config=finetune:target=amazon_beauty,users=0.2 --sweep=fields \
    --out=runs/fields --seeds=0,1,2 --metrics=ndcg@10,hr@10,hr@10_cold --workers=2
"""

from trajectory.tuning.members import Member, Sweep

CODES = ("category", "brand", "price")


def get_sweep() -> Sweep:
    """All fields of a model from scratch by content, the base, and members named by what they have or lack."""
    members = {"all": Member({"content.codes": CODES})}
    members |= {
        f"without_{name}": Member(
            {
                "content.text": tuple(field for field in ("title", "category", "brand") if field != name),
                "content.codes": tuple(field for field in CODES if field != name),
            }
        )
        for name in ("title", *CODES)
    }
    members["texts"] = Member({"content.codes": ()})
    members["codes"] = Member({"content.codes": CODES, "content.text": ()})
    return Sweep("all", members)
