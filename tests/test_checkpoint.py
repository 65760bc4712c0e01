"""Checkpoints: what is saved comes back; what is damaged, foreign or too new is told plainly."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.model_tiny import DYNAMICS, tiny_model
from wmsim import checkpoint
from wmsim.checkpoint import Card, Starts, dequantise, quantise

CARD = Card("square", 8.0, "wheel", (-1.0, -1.0), (1.0, 1.0), ("x_px", "y_px"), metrics={"psnr": 30.0})


def tiny_starts(count: int = 3, frames: int = 4) -> Starts:
    """Start runs of noise."""
    generator = torch.Generator().manual_seed(5)
    latent = torch.randint(0, 256, (count, frames, 4, 4, 4), generator=generator, dtype=torch.uint8)
    return Starts(latent, torch.zeros(count, frames, DYNAMICS.actions), torch.zeros(count, frames, DYNAMICS.proprio))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole checkpoint."""
    out = tmp_path / "square.safetensors"
    checkpoint.save(out, tiny_model(), CARD, tiny_starts(), torch.float32)
    return out


def test_what_is_saved_comes_back(path: Path) -> None:
    model, card, starts = checkpoint.load(path)
    assert card == CARD
    assert torch.equal(starts.latent, tiny_starts().latent)
    for name, value in tiny_model().state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    assert checkpoint.read_note(path)["card"]["metrics"] == {"psnr": 30.0}
    assert checkpoint.load(path, dtype=torch.bfloat16)[0].dtype == torch.bfloat16


def test_saving_leaves_no_partial_file_and_halves_in_bfloat16(path: Path) -> None:
    half = path.with_name("half.safetensors")
    checkpoint.save(half, tiny_model(), CARD, tiny_starts())
    assert half.stat().st_size < 0.6 * path.stat().st_size
    assert not list(path.parent.glob("*.partial"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        checkpoint.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("keep", [0, 7, 5000, -1])
def test_a_file_cut_short(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="cut short or corrupt"):
        checkpoint.load(path)


def test_a_foreign_file(path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="not a wmsim checkpoint"):
        checkpoint.load(path)


def _rewritten(path: Path, change: dict[str, object], drop: str = "") -> None:
    note = checkpoint.read_note(path) | change
    tensors = {k: v for k, v in load_file(path).items() if k != drop}
    save_file(tensors, path, metadata={"wmsim": json.dumps(note)})


def test_a_newer_format(path: Path) -> None:
    _rewritten(path, {"format": 99})
    with pytest.raises(ValueError, match="format 99"):
        checkpoint.load(path)


def test_a_missing_tensor_and_a_card_of_another_version(path: Path) -> None:
    _rewritten(path, {}, drop="model.dynamics.place")
    with pytest.raises(ValueError, match=r"dynamics\.place"):
        checkpoint.load(path)
    _rewritten(path, {"card": {"colour": "red"}})
    with pytest.raises(ValueError, match="another version"):
        checkpoint.load(path)


def test_quantising_a_latent_costs_less_than_half_a_level() -> None:
    latent = torch.rand(1000) * 2 - 1
    assert (dequantise(quantise(latent)) - latent).abs().max() <= 0.5 / 127.5 + 1e-6
