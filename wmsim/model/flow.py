"""Shortcut forcing: noise levels, the x-prediction loss with ramp weight, its self-consistency target, and the sampler.

Dreamer 4 (Hafner et al., arXiv 2509.24527), section 3; tau = 0 is noise and tau = 1 is data, every frame has its own.

Shape legend: B sequences, T frames, N tokens, C latent channels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

CONTEXT_TAU = 0.95
"""Signal level at which past frames are shown to the network: a little noise, so that it tolerates its own errors."""

Predict = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(noised latents (B, T, N, C), tau (B, T), d (B, T)) -> predicted clean latents (B, T, N, C)."""


def mix(noise: Tensor, clean: Tensor, tau: Float[Tensor, "B T"]) -> Tensor:
    """z~ = (1 - tau) noise + tau clean."""
    level = tau[..., None, None].to(clean.dtype)
    return (1 - level) * noise + level * clean


def draw_levels(
    rows: int, frames: int, finest: int, coarse: bool, generator: torch.Generator
) -> tuple[Float[Tensor, "B T"], Float[Tensor, "B T"]]:
    """Step sizes d and signal levels tau for each frame, tau uniform on the grid of its d.

    finest: K_max; d = 1 / K_max, or with `coarse` uniform over 2 / K_max, 4 / K_max .. 1.
    """
    octaves = finest.bit_length() - 1
    if coarse:
        power = torch.randint(1, octaves + 1, (rows, frames), generator=generator)
    else:
        power = torch.zeros(rows, frames, dtype=torch.long)
    d = 2.0**power / finest
    tau = (torch.rand(rows, frames, generator=generator) / d).floor() * d
    return tau, d


def velocity(predicted: Tensor, noised: Tensor, tau: Float[Tensor, "B T"]) -> Tensor:
    """b = (z^1 - z~) / (1 - tau)."""
    return (predicted - noised) / (1 - tau[..., None, None]).to(noised.dtype)


def consistency_target(predict: Predict, noised: Tensor, tau: Float[Tensor, "B T"], d: Float[Tensor, "B T"]) -> Tensor:
    """The clean latents that two half steps lead to, as the x-prediction that one step of size d must make.

    With b' and b'' the velocities of the two half steps, x = z~ + (1 - tau) (b' + b'') / 2: in x-space the loss
    (1 - tau)^2 || (z^1 - z~) / (1 - tau) - (b' + b'') / 2 ||^2 is || z^1 - x ||^2.
    """
    half = d / 2
    first = velocity(predict(noised, tau, half), noised, tau)
    middle = noised + first * half[..., None, None].to(noised.dtype)
    second = velocity(predict(middle, tau + half, half), middle, tau + half)
    return noised + (1 - tau[..., None, None]).to(noised.dtype) * (first + second) / 2


def ramp(tau: Float[Tensor, "B T"], floor: float = 0.1) -> Float[Tensor, "B T"]:
    """The ramp weight w = (1 - floor) tau + floor; Dreamer 4 has floor 0.1."""
    return (1 - floor) * tau + floor


def sample(predict: Callable[[Tensor, float, float], Tensor], noise: Tensor, steps: int) -> Tensor:
    """From noise to clean latents in `steps` equal Euler steps, each along the velocity the network implies there."""
    z, d = noise, 1.0 / steps
    for i in range(steps):
        tau = i * d
        clean = predict(z, tau, d)
        z = clean if i == steps - 1 else z + (clean - z) * (d / (1 - tau))
    return z
