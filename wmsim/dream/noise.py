"""Noise from a counter keyed by (seed, frame): the same numbers whatever the batch, the device or what ran before.

Shape legend: n slots, C numbers a slot.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

# Constants of splitmix64 (Steele et al., OOPSLA 2014) as signed 64-bit integers, which wrap alike.
_GOLDEN, _FIRST, _SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685
_MANTISSA = 24


def keyed_normal(seeds: Int64[Tensor, " n"], frames: Int64[Tensor, " n"], count: int) -> Float[Tensor, "n C"]:
    """Standard normal numbers (n, count), float32: a pure function of each row's seed and frame.

    Box-Muller over splitmix64 of a counter; every pair of 24-bit uniforms makes two numbers.
    """
    pairs = (count + 1) // 2
    key = _scramble(_scramble(seeds) + frames)
    counter = key[:, None] + torch.arange(2 * pairs, device=seeds.device) * _GOLDEN
    uniform = (_shift(_scramble(counter), 64 - _MANTISSA).float() + 0.5) / 2**_MANTISSA
    radius, angle = (-2 * uniform[:, :pairs].log()).sqrt(), 2 * math.pi * uniform[:, pairs:]
    return torch.cat([radius * angle.cos(), radius * angle.sin()], -1)[:, :count]


def keyed_index(seeds: Int64[Tensor, " n"], count: int) -> Int64[Tensor, " n"]:
    """A number in 0 .. count - 1 for each seed, evenly spread."""
    return _shift(_scramble(_scramble(seeds) + _GOLDEN), 1) % count


def keyed_uniform(seeds: Int64[Tensor, " n"], frames: Int64[Tensor, " n"] | int = 0) -> Float[Tensor, " n"]:
    """A number in 0 .. 1, without its ends, for each seed and frame."""
    key = _scramble(seeds) + _FIRST + frames * _SECOND
    uniform: Tensor = (_shift(_scramble(key), 64 - _MANTISSA).float() + 0.5) / 2**_MANTISSA
    return uniform


def _shift(x: Tensor, bits: int) -> Tensor:
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _scramble(x: Tensor) -> Tensor:
    x = x + _GOLDEN
    x = (x ^ _shift(x, 30)) * _FIRST
    x = (x ^ _shift(x, 27)) * _SECOND
    return x ^ _shift(x, 31)
