"""Anyone's environment as its dream shows it, and a world trained on anything as an environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from tests.model_tiny import tiny_model
from tests.test_checkpoint import CARD, tiny_starts
from wmsim import checkpoint
from wmsim.control import to_unit
from wmsim.env import WorldEnv
from wmsim.env.pictured import Pictured
from wmsim.world import Start

pytest.importorskip("av", reason="recordings need the [data] extra")


class Lamp(gym.Env[Any, Any]):
    """Two knobs, 0 to 10 and -1 to 0, and a picture of 12 x 20 as bright as the first."""

    action_space = spaces.Box(np.array([0.0, -1.0]), np.array([10.0, 0.0]), dtype=np.float64)
    observation_space = spaces.Dict(
        {"view": spaces.Box(0, 255, (12, 20, 3), np.uint8), "knobs": spaces.Box(-1, 10, (2,))}
    )

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return self._show(np.zeros(2)), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        return self._show(action), float(action[0]), False, False, {}

    def _show(self, action: np.ndarray) -> Any:
        return {"view": np.full((12, 20, 3), int(25 * action[0]), np.uint8), "knobs": action.astype(np.float32)}


def test_an_environment_is_seen_as_recorded() -> None:
    env = Pictured(Lamp(), size=(6, 10), observation="dict")
    assert env.observation_space["image"] == spaces.Box(0, 255, (6, 10, 3), np.uint8)  # type: ignore[index]
    assert env.action_space.dtype == np.float32
    env.reset(seed=0)
    seen, reward, *_ = env.step(np.array([4.0, -0.5], np.float32))
    assert (seen["image"] == 100).all()
    assert seen["proprio"] == pytest.approx([4.0, -0.5])
    assert reward == 4.0
    assert Pictured(Lamp()).observation_space == spaces.Box(0, 255, (12, 20, 3), np.uint8)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pictured(gym.make("CartPole-v1")), "vectors of actions"),
        (lambda: Pictured(gym.make("Pendulum-v1")), "shows no picture"),
        (
            lambda: Pictured(
                gym.wrappers.TransformObservation(Lamp(), lambda o: o["view"], Lamp.observation_space["view"]),
                observation="dict",
            ),
            "no vectors",
        ),
    ],
)
def test_what_no_dream_can_stand_for_is_told(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_actions_are_told_to_the_network_between_their_bounds() -> None:
    action = torch.tensor([[0.0, -1.0], [10.0, 0.0], [5.0, -0.5]])
    assert torch.allclose(to_unit(action, (0.0, -1.0), (10.0, 0.0)), torch.tensor([[-1.0, -1], [1, 1], [0, 0]]))
    same = torch.randn(7, 2).clamp(-1, 1)
    assert torch.equal(to_unit(same, (-1.0, -1.0), (1.0, 1.0)), same)


def test_a_world_trained_on_anything_is_an_environment(tmp_path: Path) -> None:
    path, unit, model = tmp_path / "lamp.safetensors", tmp_path / "unit.safetensors", tiny_model()
    model.dynamics.heads.out.bias.data[61] = -50.0  # never ends
    card = checkpoint.Card("lamp", 8.0, "action", (0.0, -1.0), (10.0, 0.0), ("a", "b"))
    checkpoint.save(path, model, card, tiny_starts(), torch.float32)
    checkpoint.save(unit, model, CARD, tiny_starts(), torch.float32)
    env = gym.make("wmsim/World-v0", world=path, render_mode="rgb_array")
    assert env.action_space == spaces.Box(np.array([0, -1], np.float32), np.array([10, 0], np.float32))
    first, _ = env.reset(seed=1)
    assert np.array_equal(env.render(), first)
    with pytest.raises(ValueError, match="actions lie in"):
        env.step(np.array([10.0, 1.0], np.float32))
    start = Start({"front": torch.randint(0, 255, (1, 1, 16, 16, 3), dtype=torch.uint8)})
    films = []
    for world, action in ((path, [10.0, -0.25]), (unit, [1.0, 0.5])):  # the same, between their bounds
        same = WorldEnv("world", world)
        same.reset(seed=1, options={"start": start})
        films.append([same.step(np.array(action, np.float32))[0] for _ in range(3)][-1])
    assert np.array_equal(*films)
    with pytest.raises(ValueError, match="has no simulator"):
        gym.make("wmsim/World-v0")
