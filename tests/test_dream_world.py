"""DreamWorld on a tiny random model: the contract's corners that the conformance suite does not name."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.model_tiny import END, tiny_model
from tests.test_checkpoint import CARD, tiny_starts
from wmsim import checkpoint, dream
from wmsim.conformance import CheckConfig, check_world
from wmsim.control import Control
from wmsim.dream import DreamWorld, Randomise
from wmsim.world import Start, Step, World


def _world(slots: int = 2, steps: int | None = None) -> DreamWorld:
    return DreamWorld(tiny_model(), CARD, tiny_starts(), slots, steps)


def _wheel(count: int, steer: float = 0.0) -> Control:
    return Control.of_wheel(torch.tensor([[steer, 0.5]] * count))


def _start(count: int = 2, length: int = 3) -> Start:
    frames = torch.randint(0, 256, (count, length, 16, 16, 3), dtype=torch.uint8)
    control = Control(robot=torch.zeros(count, length - 1, 2), domain="wheel") if length > 1 else None
    return Start({"front": frames}, control)


def test_it_is_a_world_and_passes_every_check() -> None:
    assert isinstance(_world(), World)
    check_world(_obedient, CheckConfig(frames=12)).raise_for_failures()


def _obedient(slots: int) -> DreamWorld:
    """Random weights that listen to the control more than to the noise and seldom foretell ends, as trained ones."""
    model = tiny_model()
    model.dynamics.heads.out.bias.data[61] -= 1.0
    model.dynamics.inward.weight.mul_(0.3)
    model.dynamics.action[-1].weight.mul_(6.0)
    return DreamWorld(model, CARD, tiny_starts(), slots)


def test_shapes_and_declarations() -> None:
    world = _world()
    step = world.reset([0, 1], [4, 5])
    assert step.frames["front"].shape == (2, 1, 16, 16, 3)
    step = world.step([1], _wheel(1))
    assert step.proprio is not None
    assert step.proprio.shape == (1, 1, 2)
    assert step.uncertainty is not None
    assert (step.uncertainty > 0).all()
    assert 0 <= float(step.info["end_probability"]) <= 1


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_every_number_of_steps_dreams(steps: int) -> None:
    world = _world(1, steps)
    first = world.reset([0], [1]).frames["front"]
    assert not torch.equal(first, world.step([0], _wheel(1)).frames["front"])


def test_start_frames_are_shown_and_used() -> None:
    world, start = _world(), _start()
    shown = world.reset([0, 1], [1, 1], start).frames["front"]
    assert torch.equal(shown[:, 0], start.frames["front"][:, -1])
    after = world.step([0, 1], _wheel(2)).frames["front"]
    assert not torch.equal(after[0], after[1])


def test_an_ended_slot_rests_until_it_is_reset() -> None:
    world = _world()
    world.model.dynamics.heads.out.bias.data[END] = 50.0
    world.reset([0, 1], [1, 2])
    ended = world.step([0, 1], _wheel(2))
    again = world.step([0, 1], _wheel(2, 0.9))
    assert ended.terminated is not None
    assert ended.terminated.all()
    assert torch.equal(ended.frames["front"], again.frames["front"])
    assert again.reward is not None
    assert not again.reward.any()


def test_ends_come_as_often_as_they_are_probable_whatever_the_batch() -> None:
    slots, alone = list(range(400)), _world(1)
    world = _world(len(slots))
    for one in (world, alone):
        one.model.dynamics.heads.out.weight.data[END] = 0.0
        one.model.dynamics.heads.out.bias.data[END] = float(np.log(0.25 / 0.75))
    world.reset(slots, slots)
    ended = [_ended(world.step(slots, _wheel(len(slots)))).sum() for _ in range(2)]
    assert ended[0] / len(slots) == pytest.approx(0.25, abs=0.07)
    assert (ended[1] - ended[0]) / (len(slots) - ended[0]) == pytest.approx(0.25, abs=0.08)
    for seed in range(8):
        world.reset([0, 1], [seed, seed + 100])
        alone.reset([0], [seed])
        assert bool(_ended(world.step([0, 1], _wheel(2)))[0]) == bool(_ended(alone.step([0], _wheel(1)))[0])


def _ended(step: Step) -> np.ndarray:
    assert step.terminated is not None
    return step.terminated[:, 0].numpy()


def test_a_snapshot_can_be_pickled() -> None:
    world = _world()
    world.reset([0, 1], [1, 2])
    kept = pickle.loads(pickle.dumps(world.snapshot([0])))
    wanted = world.step([0], _wheel(1)).frames["front"]
    world.restore([1], kept)
    assert torch.equal(world.step([1], _wheel(1)).frames["front"], wanted)


def test_motion_goes_on_from_the_start_that_is_given() -> None:
    world, start = _world(), _start()
    moved = []
    for speed in (0.0, 8.0):
        world.reset([0, 1], [1, 2], replace(start, proprio=torch.full((2, 3, 2), speed)))
        step = world.step([0, 1], _wheel(2))
        assert step.proprio is not None
        moved.append((step.proprio, step.frames["front"]))
    assert ((moved[1][0] - moved[0][0]).abs() > 1e-3).all()
    assert torch.equal(moved[0][1], moved[1][1])  # frames know nothing of it


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda w: w.step([0], _wheel(1)), "never reset"),
        (lambda w: w.reset([0, 1], [1, 2], _start(length=1)) and w.step([0], _wheel(2)), "shape"),
        (lambda w: w.reset([0, 1], [1, 2], Start({"rear": torch.zeros(2, 1, 16, 16, 3, dtype=torch.uint8)})), "front"),
        (lambda w: w.reset([0], [1], _start()), "start frames have shape"),
        (lambda w: w.reset([0, 1], [1, 2], Start({"front": torch.zeros(2, 1, 16, 16, 3)})), "uint8"),
        (lambda w: w.reset([0, 1], [1, 2], Start(_start().frames)), "controls between"),
        (lambda w: w.reset([0, 1], [1, 2], replace(_start(), proprio=torch.zeros(2, 1, 2))), "take as much proprio"),
        (lambda w: DreamWorld(w.model, w.card, w.starts, 0), "at least 1 slot"),
        (lambda w: DreamWorld(w.model, w.card, w.starts, 1, 0), "denoising passes"),
    ],
)
def test_bad_input_is_told(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        call(_world())


def test_loading_by_path_and_by_unknown_name(tmp_path: Path) -> None:
    path = tmp_path / "square.safetensors"
    checkpoint.save(path, tiny_model(), CARD, tiny_starts())
    assert dream.load(path, slots=2).spec.name == "square"
    with pytest.raises(FileNotFoundError, match="neither a checkpoint file nor one that ships"):
        dream.load("nowhere")


def test_a_world_without_reward_says_none() -> None:
    card = checkpoint.Card(
        "square", 8.0, "wheel", (-1.0, -1.0), (1.0, 1.0), ("a", "b"), reward=False, termination=False
    )
    world = DreamWorld(tiny_model(), card, tiny_starts())
    world.reset([0], [0])
    step = world.step([0], _wheel(1))
    assert step.reward is None
    assert step.terminated is None


# --- randomised ----------------------------------------------------------------------------------------------------


def test_an_episode_has_its_own_passes_and_memory_whatever_the_batch() -> None:
    drawn = Randomise(steps=(1, 2, 4), context=(0.5, 1.0))
    passes, level = drawn.drawn(torch.arange(300))
    assert set(passes.tolist()) == {1, 2, 4}
    assert 0.5 < float(level.min()) < 0.52 < 0.98 < float(level.max()) < 1.0
    several, alone = (DreamWorld(tiny_model(), CARD, tiny_starts(), n, randomise=drawn) for n in (4, 1))
    several.reset([0, 1, 2, 3], [0, 1, 2, 3])
    shown = [several.step([0, 1, 2, 3], _wheel(4)) for _ in range(3)][-1].frames["front"]
    for seed in range(4):
        alone.reset([0], [seed])
        one = [alone.step([0], _wheel(1)) for _ in range(3)][-1].frames["front"]
        assert (one[0].int() - shown[seed].int()).abs().float().mean() < 2
    state = several.snapshot([2])
    following = several.step([2], _wheel(1)).frames["front"]
    alone.restore([0], state)
    assert torch.equal(alone.step([0], _wheel(1)).frames["front"], following)


def test_a_noisier_memory_makes_another_dream() -> None:
    films = []
    for level in (0.6, 1.0):
        world = DreamWorld(tiny_model(), CARD, tiny_starts(), 1, randomise=Randomise((1,), (level, level)))
        world.reset([0], [3])
        films.append([world.step([0], _wheel(1)) for _ in range(2)][-1].frames["front"])
    assert not torch.equal(*films)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: Randomise(steps=()), "at least 1 denoising pass"),
        (lambda: Randomise(context=(1.0, 0.5)), "low first"),
        (lambda: DreamWorld(tiny_model(), CARD, tiny_starts(), 1, 2, Randomise()), "not both"),
        (lambda: DreamWorld(tiny_model(), CARD, tiny_starts(), 1, None, Randomise((65,))), "1 .. 64, got 65"),
    ],
)
def test_what_cannot_be_randomised_is_told(made: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made()
