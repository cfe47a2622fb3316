"""From raw tables to a clean log: which column means what, what each cell says, what is set aside and why.

`log.read_log` calls the `stages` in order, `quality.cleaning.clean` follows it. What the stages use, by theme:

- `source`: where a log comes from (domains, files, data frames, TFDS), and files beside it
- `cells`: what a cell says: texts, ids, numbers, amounts, dates, words for missing
- `columns`: which column means what: by its name, by its words, by what it holds
- `sales`: types of event, statuses of orders, what was no sale or was taken back
- `items`: the item table and what groups the items
- `quality`: doubts, duplicates, outliers, rows set aside with reasons

`findings` keeps what was decided and doubted on the way, `word_lists` reads settings that are words, and `frames` saves
memory where tables are large.
"""
