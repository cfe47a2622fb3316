"""The stages of `read_log`, in the order in which it calls them; each adds to one `Reading` what the later ones need.

`tables` (what the source holds) -> `choice` (which column is what) -> `events` (who, with what, when) -> `amounts` ->
`no_sales` (failed orders, returns, rows sent again) -> `features` -> `item_table` -> `doubts` -> `order`.
"""
