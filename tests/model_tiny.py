"""A world model small enough for tests, and episodes of a moving square for it to learn."""

import numpy as np
import torch

from wmsim.model.dynamics import DynamicsConfig
from wmsim.model.tokenizer import TokenizerConfig
from wmsim.model.world_model import WorldModel, WorldModelConfig

TOKENIZER = TokenizerConfig(16, 16, 4, 1, 4, 32, 2, 64, 1, 1)
DYNAMICS = DynamicsConfig(
    tokens=4,
    channels=16,
    actions=2,
    proprio=2,
    dim=48,
    layers=4,
    heads=2,
    kv_heads=1,
    hidden=64,
    registers=2,
    context=6,
    felt=True,
    memory=8,
)
END = 61
"""Place of the end's logit among the heads' outputs, after the bins of the reward."""

CONFIG = WorldModelConfig(TOKENIZER, DYNAMICS, 2)


def tiny_model(seed: int = 0) -> WorldModel:
    """Random weights, also in the layers that training begins at zero."""
    torch.manual_seed(seed)
    model = WorldModel(CONFIG).eval()
    for block in model.dynamics.time_blocks:
        torch.nn.init.normal_(block.age)
    model.dynamics.heads.out.bias.data[END] = -6.0  # ends are drawn: at even odds no dream would last a test
    heads = model.dynamics.heads
    more = heads.feel.weight, heads.keep.weight, heads.recall.weight
    for weight in (model.dynamics.outward.weight, model.dynamics.before.weight, model.dynamics.keep, *more):
        torch.nn.init.normal_(weight, std=0.1)
    return model.requires_grad_(False)


def square_film(actions: np.ndarray, start: tuple[float, float], size: int = 16) -> np.ndarray:
    """(T + 1, size, size, 3) uint8: a soft square that each action (T, 2) moves by up to 3 pixels, wrapping around."""
    places = np.cumsum(np.concatenate([np.asarray(start)[None], 3.0 * actions]), 0) % size
    axis = np.arange(size)
    film = np.zeros((len(places), size, size, 3), np.uint8)
    for frame, (x, y) in zip(film, places, strict=True):
        near_x = np.abs((axis - x + size / 2) % size - size / 2)
        near_y = np.abs((axis - y + size / 2) % size - size / 2)
        bright = np.clip(3.5 - near_x, 0, 1)[None, :] * np.clip(3.5 - near_y, 0, 1)[:, None]
        frame[...] = (40 + bright[..., None] * np.array([180, 120, 60])).astype(np.uint8)
    return film
