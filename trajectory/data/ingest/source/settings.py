"""Settings of `config.data` that fit one source, and how they fill what was not set by hand."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ml_collections import ConfigDict

from trajectory.settings import base


@dataclass(frozen=True)
class Settings:
    """Fields of `config.data` and its `cleaning` by their names there; None = the common default fits."""

    interest_column: str | None = None
    item_column: str | None = None
    labels: str | None = None
    order: str | None = None
    baskets: bool | None = None
    columns: dict[str, str] | None = None
    event_type_map: dict[str, str] | None = None
    event_types: dict[str, str] | None = None
    service_lines: tuple[str, ...] | None = None
    duplicates: str | None = "drop"  # what is published is of different rows
    time_unit: str | None = None
    min_date: str | None = None
    max_date: str | None = None

    def fill(self, data: ConfigDict) -> ConfigDict:
        """`data` itself, in which fields that are still at their common default, and were not set to it by hand, hold
        these values.
        """
        default, by_hand = base().data, data.get("by_hand", ())
        for field in fields(Settings):
            name, value = field.name, getattr(self, field.name)
            if value is None:
                continue
            section = "cleaning" if name in default.cleaning else None
            path = f"{section}.{name}" if section else name
            target, common = (data[section], default[section]) if section else (data, default)
            if name == "columns":
                free = {key: text for key, text in value.items() if f"columns.{key}" not in by_hand}
                data.columns.update({key: text for key, text in free.items() if not data.columns[key]})
            elif name in ("event_type_map", "event_types"):
                data[name] = ConfigDict({**value, **data[name].to_dict()}, convert_dict=False)
            elif target[name] == common[name] and path not in by_hand:
                target[name] = value
        return data
