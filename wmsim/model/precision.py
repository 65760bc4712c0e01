"""Precision: bfloat16 where the hardware multiplies it, else float32, far faster on processors that do not."""

from __future__ import annotations

import torch


def fast_dtype(device: str | torch.device) -> torch.dtype:
    """The number type that a device multiplies fastest, of bfloat16 and float32."""
    if torch.device(device).type == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return torch.float32
    return torch.bfloat16


def autocast(device: str | torch.device) -> torch.autocast:
    """Mixed precision for training: matrix products in `fast_dtype`, weights and sums in float32."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=fast_dtype(device) == torch.bfloat16)
