"""How far the films of a dream are from real films: WM-KID, a polynomial MMD on features of our own.

It is no FVD and no KID: the features come from a fixed random network, so figures compare only with each other.
Shape legend: C windows of T frames, D features.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Shaped, UInt8
from torch import nn

WINDOW = 16
"""Frames in one window."""


def clip_features(windows: UInt8[np.ndarray, "C T H W 3"], seed: int = 0) -> Float[np.ndarray, "C D"]:
    """Features of each window from three random 3-D convolutions of fixed `seed`; D = 256.

    Mean and spread over space and time of the last layer, so that colour, texture and motion all show in them.
    ValueError for windows under 8 frames or 16 pixels a side: nothing would be left after three halvings.
    """
    if windows.shape[1] < 8 or min(windows.shape[2:4]) < 16:
        raise ValueError(f"a window has at least 8 frames of 16 x 16 pixels, got {windows.shape[1:4]}")
    network = _random_network(seed)
    with torch.no_grad():
        parts = [network(_as_video(part)) for part in np.array_split(windows, -(-len(windows) // 16))]
    maps = torch.cat(parts).flatten(2)
    return np.asarray(torch.cat([maps.mean(-1), maps.std(-1)], -1).double().numpy())


def polynomial_mmd(a: Float[np.ndarray, "n D"], b: Float[np.ndarray, "m D"]) -> float:
    """Unbiased squared MMD with the kernel (x.y / D + 1)^3 (Binkowski et al. 2018, KID); may fall below 0.

    ValueError when a side has fewer than two rows.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"the unbiased MMD needs two rows a side, got {len(a)} and {len(b)}")
    inner_a, inner_b = _kernel(a, a), _kernel(b, b)
    within_a = (inner_a.sum() - np.trace(inner_a)) / (len(a) * (len(a) - 1))
    within_b = (inner_b.sum() - np.trace(inner_b)) / (len(b) * (len(b) - 1))
    return float(within_a + within_b - 2 * _kernel(a, b).mean())


def relative_distance(
    dreamt: Float[np.ndarray, "n D"],
    real: Float[np.ndarray, "m D"],
    towns: Shaped[np.ndarray, "m"],
    towns_dreamt: int,
    splits: int = 50,
) -> tuple[float, float]:
    """WM-KID of dreamt against real windows as (distance, distance / real against real).

    Features are standardised by the real ones. Real against real is the mean over `splits` draws of the distance of
    `towns_dreamt` towns from all others, never one town on both sides: 1 is what other real towns would score.
    """
    centre, spread = real.mean(0), real.std(0) + 1e-6
    a, b = (dreamt - centre) / spread, (real - centre) / spread
    rng, names = np.random.default_rng(0), np.unique(towns)
    if len(names) < 2:
        raise ValueError(f"real against real needs two towns, got {len(names)}")
    taken = min(towns_dreamt, len(names) // 2)
    chosen = [np.isin(towns, rng.permutation(names)[:taken]) for _ in range(splits)]
    usual = [abs(polynomial_mmd(b[one], b[~one])) for one in chosen if min(one.sum(), (~one).sum()) > 1]
    distance = polynomial_mmd(a, b)
    return distance, distance / float(np.mean(usual))


def _kernel(a: Float[np.ndarray, "n D"], b: Float[np.ndarray, "m D"]) -> Float[np.ndarray, "n m"]:
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)


def _as_video(windows: UInt8[np.ndarray, "C T H W 3"]) -> Float[torch.Tensor, "C 3 T H W"]:
    return rearrange(torch.from_numpy(windows).float() / 127.5 - 1, "c t h w k -> c k t h w")


def _random_network(seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        widths = (3, 32, 64, 128)
        layers: list[nn.Module] = []
        for inner, outer in pairwise(widths):
            layers += [nn.Conv3d(inner, outer, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers)
