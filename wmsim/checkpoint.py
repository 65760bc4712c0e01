"""Checkpoints: a world model with its start frames and its promises in one safetensors file.

Shape legend: n starts of L frames, h x w grid, c latent channels, A action width, P proprio width.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wmsim.model.world_model import WorldModel, WorldModelConfig

FORMAT = 1
_KEY = "wmsim"


@dataclass(frozen=True)
class Card:
    """What a checkpoint says of itself beside its weights.

    domain, low, high: the robot control it takes and its bounds. proprio: names with units. reward / termination:
    whether the data taught them. steps: the K that ships. training: data, visits, hardware; metrics: name -> figure.
    captions: event that may be told -> the wordings that taught it; none: nothing may.
    """

    name: str
    frames_per_second: float
    domain: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    proprio: tuple[str, ...] = ()
    camera: str = "front"
    reward: bool = True
    termination: bool = True
    steps: int = 1
    tolerance: float = 2.0
    licence: str = "Apache-2.0"
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    captions: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Starts:
    """The reset distribution: short recorded runs as latents, with the actions that led into each frame."""

    latent: UInt8[Tensor, "n L h w c"]
    action: Float[Tensor, "n L A"]
    proprio: Float[Tensor, "n L P"]

    def __len__(self) -> int:
        return len(self.latent)


def quantise(latent: Float[Tensor, "..."]) -> UInt8[Tensor, "..."]:
    """Latents in [-1, 1] -> 256 levels."""
    return ((latent.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def dequantise(levels: UInt8[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The inverse of `quantise`."""
    return levels.float() / 127.5 - 1


def save(path: str | Path, model: WorldModel, card: Card, starts: Starts, dtype: torch.dtype = torch.bfloat16) -> None:
    """Write a checkpoint; the file appears under its name only when it is complete."""
    tensors = {f"model.{k}": _stored(v, dtype) for k, v in model.state_dict().items()}
    tensors |= {f"starts.{k}": v.contiguous() for k, v in vars(starts).items()}
    note = {"format": FORMAT, "config": model.config.to_dict(), "card": asdict(card)}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={_KEY: json.dumps(note)})
    partial.replace(path)


def _stored(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype).contiguous()


def load(path: str | Path, device: str = "cpu", dtype: torch.dtype | None = None) -> tuple[WorldModel, Card, Starts]:
    """Read a checkpoint; the model computes in `dtype` (None: as stored) and is in eval mode.

    FileNotFoundError when there is none; ValueError when the file is cut short, corrupt, not a wmsim checkpoint, of a
    newer format, or when its tensors do not fit its configuration.
    """
    note, tensors = _read(Path(path))
    try:
        model = WorldModel(WorldModelConfig.from_dict(note["config"]))
        weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        model.load_state_dict(weights)
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in note["card"].items()}
        card = Card(**plain)
        starts = Starts(**{k.removeprefix("starts."): v for k, v in tensors.items() if k.startswith("starts.")})
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged or was made by another version of wmsim: {error}") from error
    stored = tensors["model.dynamics.inward.weight"].dtype
    model = model.to(device=device, dtype=dtype or stored).eval().requires_grad_(False)
    return model, card, starts


def read_note(path: str | Path) -> dict[str, Any]:
    """Format, configuration and card of a checkpoint without its weights; errors as `load`."""
    return _read(Path(path), weights=False)[0]


def _read(path: Path, weights: bool = True) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()} if weights else {}  # noqa: SIM118
    except (SafetensorError, struct.error, OSError) as error:
        raise ValueError(f"{path} is not a whole safetensors file (cut short or corrupt): {error}") from error
    if _KEY not in metadata:
        raise ValueError(f"{path} is a safetensors file but not a wmsim checkpoint: make one with `wmsim train`")
    note = json.loads(metadata[_KEY])
    if note["format"] > FORMAT:
        raise ValueError(f"{path} has format {note['format']}, this wmsim reads up to {FORMAT}: update wmsim")
    return note, tensors
