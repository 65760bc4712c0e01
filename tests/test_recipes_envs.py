"""The recipes of envs/, in small: they record, train and pack; what is too large is told."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import typer

from envs import drive, others, udacity
from tests.model_tiny import tiny_model
from tests.test_checkpoint import CARD, tiny_starts
from wmsim import checkpoint, dream

FIXTURE = Path(__file__).parent / "fixtures" / "udacity"
SMALL = (
    "model.tokenizer.dim=16",
    "model.tokenizer.heads=2",
    "model.tokenizer.hidden=16",
    "model.dynamics.dim=32",
    "model.dynamics.heads=2",
    "model.dynamics.kv_heads=1",
    "model.dynamics.layers=2",
    "model.dynamics.hidden=32",
    "outcomes.drives=2",
    "outcomes.frames=4",
    "outcomes.before=4",
    "outcome_loop.steps=1",
    "decoder_loop.steps=1",
    "dynamics.adversary_from=0.0",
    "dynamics.adversary.drawn=2",
    "dynamics.adversary.start=4",
    "dynamics.followers.before=4",
    "dynamics.followers.drawn=2",
    "starts=2",
    "start_frames=4",
    "threads=1",
)


def _recipe(out: Path, **changed: object) -> drive.Recipe:
    plain = {"out": out, "assets": out / "assets", "frames": 60, "workers": 1, "tokenizer_steps": 1}
    more = {"dynamics_steps": 1, "device": "cpu", "fast": True, "settings": (*SMALL, "test=0.0")}
    return drive.Recipe(**plain | more | changed)  # type: ignore[arg-type]


def test_drive_is_recorded_trained_and_packed(tmp_path: Path) -> None:
    pytest.importorskip("mujoco", reason="the twin needs the extra [sim]")
    recipe = _recipe(tmp_path)
    drive.record_twin(recipe)
    drive.train(recipe)
    path = drive.pack(recipe)
    assert dream.load(path).spec.controls.keys() == {"wheel"}
    card = path.with_suffix(".md").read_text()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert "frame_visits" in card


def test_the_proof_goes_into_the_card(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path)
    checkpoint.save(recipe.model, tiny_model(), CARD, tiny_starts())
    recipe.proof.parent.mkdir(parents=True)
    bars = [{"name": "above copy", "measured": {"mean": 1.23456}}, {"name": "end", "measured": "-"}]
    recipe.proof.write_text(json.dumps({"bars": bars}))
    path = drive.pack(recipe)
    assert checkpoint.read_note(path)["card"]["metrics"] == {"above copy": 1.2346, "end": "-"}
    assert "measured: above copy | 1.2346" in path.with_suffix(".md").read_text()


def test_a_checkpoint_too_large_for_the_wheel_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = _recipe(tmp_path)
    checkpoint.save(recipe.model, tiny_model(), CARD, tiny_starts())
    monkeypatch.setattr(drive, "LIMIT", 1000)
    with pytest.raises(ValueError, match="the wheel takes 1000"):
        drive.pack(recipe)


def test_udacity_is_cut_and_trained(tmp_path: Path) -> None:
    seen, unseen = udacity.halves(FIXTURE, tmp_path, 3)
    assert len(seen.indices()) + len(unseen.indices()) == 3
    udacity.train(seen, tmp_path / "train", (1, 1, 1), "cpu", [*SMALL, "starts=1"])
    spec = dream.load(tmp_path / "train" / "model.safetensors").spec
    assert spec.controls.keys() == {"steering"}
    assert not spec.reward
    assert not spec.termination


def test_an_environment_of_others_goes_from_recording_to_both_proofs(tmp_path: Path) -> None:
    tiny = (*SMALL, *(f"{stage}_loop.steps=1" for stage in ("tokenizer", "dynamics")), "test=0.0")
    toy = others.Other(
        env="wmsim/Toy-v0",
        frames=300,
        longest=60,
        held=6,
        kwargs={"max_episode_steps": 60},
        train=tiny,
        prove=("evidence.horizon=24", "horizons=[1,8]", "evidence.again=0"),
        transfer=("before=4",),
    )
    recipe = others.Recipe(toy, tmp_path / "toy", workers=1, fast=True)
    for work in (others.record_both, others.train, others.prove, others.transferred, others.agreed):
        work(recipe)
    found = {part: json.loads((recipe.out / part / f"{part}.json").read_text()) for part in others.PARTS[2:]}
    assert found["fidelity"]["above_copy"]
    assert {"random", "PPO in the dream", "PPO in the twin"} <= set(found["transfer"]["rows"])
    assert found["transfer"]["settings"]["env"] == "wmsim/Toy-v0"
    assert "dream" in found["agreement"]["agreement"]


def test_an_unknown_other_is_told() -> None:
    with pytest.raises(typer.BadParameter, match="is none of racing, reacher"):
        others.main("pong")
