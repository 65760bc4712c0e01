"""Noise keyed by (seed, frame): normal, independent, and blind to the batch."""

import pytest
import torch

from wmsim.dream.noise import keyed_index, keyed_normal


def test_it_is_standard_normal() -> None:
    noise = keyed_normal(torch.arange(200), torch.zeros(200, dtype=torch.long), 1000)
    assert noise.mean().abs() < 0.01
    assert noise.std() == pytest.approx(1, abs=0.01)
    assert noise.pow(4).mean() == pytest.approx(3, abs=0.05)
    assert torch.isfinite(noise).all()


def test_seeds_and_frames_are_independent() -> None:
    seeds, frames = torch.arange(100).repeat_interleave(10), torch.arange(10).repeat(100)
    noise = keyed_normal(seeds, frames, 64)
    correlation = torch.corrcoef(noise)
    assert (correlation - torch.eye(1000)).abs().max() < 0.75
    assert (correlation - torch.eye(1000)).std() == pytest.approx(1 / 8, abs=0.005)


def test_a_row_depends_on_its_own_key_alone() -> None:
    many = keyed_normal(torch.tensor([7, 3, 9]), torch.tensor([0, 5, 2]), 33)
    assert torch.equal(keyed_normal(torch.tensor([3]), torch.tensor([5]), 33)[0], many[1])


def test_large_seeds_are_distinct() -> None:
    seeds = torch.tensor([0, 2**31, 2**62, 2**63 - 1])
    noise = keyed_normal(seeds, torch.zeros(4, dtype=torch.long), 16)
    assert len(torch.unique(noise, dim=0)) == 4


def test_the_index_is_even() -> None:
    counts = torch.bincount(keyed_index(torch.arange(6400), 64), minlength=64)
    assert counts.min() > 60
    assert counts.max() < 150
