"""A bank's transactions, in the form of the PKDD'99 financial data set: which payment comes next on an account.

trajectory train --config=finance:path=trans.asc --workdir=runs/finance

The data set (Berka & Sochorova, "PKDD 1999 Discovery Challenge: a real Czech bank", 4,500 accounts, 1,056,320
transactions 1993 to 1998) is in the CTU relational learning repository as "Financial". Its trans.asc has the columns
trans_id; account_id; date (yymmdd); type (PRIJEM in, VYDAJ or VYBER out); operation; amount; balance; k_symbol; bank;
account. An item is what a transaction is for and how it is made. Other banks' or brokers' logs need other names:
--config.data.columns.user=... and so on, or the preset `own_log`.
"""

from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings import base, parse_arg, shrink


def get_config(arg: str = "") -> ConfigDict:
    """Arguments: path (of trans.asc or a file like it), model, tiny."""
    args = parse_arg(arg, path="", model="gru")
    if not args.path:
        raise UserError("expected --config=finance:path=LOG with the transactions, such as trans.asc of PKDD'99")
    c = base(args.model)
    c.name = "finance"
    d = c.data
    d.source, d.interest_column, d.time_unit = args.path, "", "text"
    d.columns.update(user="account_id", item="k_symbol+operation", time="date", event_type="type", value="amount")
    d.event_types.update(credit="input,target", debit="input,target")
    d.event_type_map = ConfigDict({"PRIJEM": "credit", "VYDAJ": "debit", "VYBER": "debit"}, convert_dict=False)
    c.content.text = ("item",)
    c.evaluation.seen = "keep"  # payments are made again and again
    return shrink(c) if args.tiny else c
