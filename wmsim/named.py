"""What a text such as "module:factory" names."""

from __future__ import annotations

import pkgutil
from typing import Any


def named(text: str, wanted: str) -> Any:
    """What `text` names, the part before the colon imported. ValueError: nothing does; wanted: what it should name."""
    try:
        return pkgutil.resolve_name(text)
    except (ImportError, AttributeError, ValueError) as fault:
        raise ValueError(f"{text!r} could not be imported ({fault}): name {wanted}") from fault
