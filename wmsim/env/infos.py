"""Infos of some rows joined into Gymnasium's vector form: for every key an array of n and a mask "_key"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

Info = dict[str, Any]


def rows_of(info: Info, rows: Sequence[int]) -> Info:
    """The info of some rows; values are arrays or tensors whose first axis is the rows."""
    return {name: value[list(rows)] for name, value in info.items()}


def join(parts: list[tuple[list[int], Info]], count: int, torch_output: bool) -> Info:
    """[(rows, their info)] -> infos of `count` environments; zeros, with a false mask, where a row lacks a key."""
    joined: Info = {}
    for rows, info in parts:
        if not rows:
            continue
        for name, value in info.items():
            given = value if torch_output else _numpy(value)
            joined[name] = _placed(joined.get(name), rows, given, count)
            mask = joined.setdefault(f"_{name}", np.zeros(count, bool))
            mask[rows] = True
    return joined


def _numpy(value: Any) -> Any:
    return value.cpu().numpy() if isinstance(value, Tensor) else value


def _placed(whole: Any, rows: list[int], value: Any, count: int) -> Any:
    if rows == list(range(count)):
        return value
    if whole is None and isinstance(value, Tensor):
        whole = torch.zeros((count, *value.shape[1:]), dtype=value.dtype, device=value.device)
    elif whole is None:
        whole = np.zeros((count, *np.shape(value)[1:]), np.asarray(value).dtype)
    whole[rows] = value
    return whole
