"""What every page of a run needs: data that stays data inside its script."""

from __future__ import annotations

import json
from typing import Any


def script_safe(value: Any) -> str:
    """JSON that cannot close the script element it stands in, whatever titles the data has."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
