"""What fields of a log and reasons to set a row aside are called on the page of an inspection, and what helps."""

from __future__ import annotations

MEANINGS = {
    "user": "who",
    "item": "which item",
    "time": "when",
    "zone": "time zone of it",
    "position": "order within a time",
    "event_type": "what was done",
    "value": "amount of money",
    "quantity": "pieces",
    "rating": "rating",
    "basket": "order or basket",
    "label": "label to predict",
    "behaviour": "what was done, with which item",
    "status": "what became of the order",
    "returned": "pieces that came back",
    "discount": "what is taken off the amount",
}
HOW_FOUND = {
    "name": "by its name",
    "word": "by a word of its name",
    "content": "by what it holds",
    "format": "by the format of the file",
    "joined": "several columns, joined",
    "names of files": "by the names of files",
}
_UNITS = "data.time_unit=... if all are of another unit; if some are, write all in one"
# What helps where rows are set aside for a reason.
REMEDIES = {
    "malformed row": "look at these rows (1 is the first below the header); data.separator=... if it is another one",
    "missing user": "data.columns.user=... if another column says who",
    "missing item": "data.columns.item=... if another column says which item",
    "missing time": "data.columns.time=... if another column says when; data.order=file to do without",
    "missing position": "data.order=time",
    "unparsable time": "data.time_unit=..., data.day_first=yes|no, or data.columns.time=...",
    "impossible time": f"data.cleaning.min_date=... if they are right, {_UNITS}",
    "time in the future": f"data.cleaning.max_date=... if they are right, {_UNITS}",
    "unknown event type": "data.event_type_map={{{example}}} with what it means: view, cart, purchase ...",
    "invalid label": "labels are 0 and 1",
    "invalid feature": "data.features without that column",
    "duplicate": "data.duplicates=keep (each is an event) or count (one event of that quantity)",
    "bot": "data.cleaning.max_events_per_minute and max_events_per_day",
    "below minimum count": "data.cleaning.min_user_events and min_item_events",
}
