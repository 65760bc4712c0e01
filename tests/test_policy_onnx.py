"""Policy files: what was saved acts the same, keeps a state for each slot, and says what it does not fit."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

pytest.importorskip("onnxruntime", reason="policy files need the [policy] extra")
pytest.importorskip("onnxscript", reason="policy files need the [policy] extra")

from wmsim.control import wheel_space
from wmsim.data.rollout import make_actor
from wmsim.policy import OnnxPolicy, Policy, RandomPolicy, save_policy
from wmsim.policy.onnx import describe, restore

IMAGE = spaces.Box(0, 255, (8, 8, 3), np.uint8)
BOTH = spaces.Dict({"front": IMAGE, "speed": spaces.Box(-np.inf, np.inf, (2,), np.float32)})


class Looking(nn.Module):
    """Chunks of two from a picture and a vector; preprocessing inside."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.out = nn.Conv2d(3, 4, 3, stride=2), nn.Linear(4 * 9 + 2, 4)

    def forward(self, front: Tensor, speed: Tensor) -> Tensor:
        seen = self.convolution(front.permute(0, 3, 1, 2).float() / 127.5 - 1).relu().flatten(1)
        return (2 * self.out(torch.cat([seen, speed], 1))).reshape(-1, 2, 2)


class Counting(nn.Module):
    """Steers by the number of steps so far."""

    def forward(self, picture: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        after = state + 1
        dark = picture.float().mean((1, 2, 3))[:, None] / 255
        return torch.cat([0.1 * after, dark], 1)[:, None], after


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that looks and one that counts."""
    folder = tmp_path_factory.mktemp("policies")
    torch.manual_seed(0)
    looking = Looking()
    save_policy(looking, folder / "looking.onnx", BOTH, wheel_space())
    torch.save(looking.state_dict(), folder / "looking.pt")
    save_policy(Counting(), folder / "counting.onnx", IMAGE, wheel_space(), state=torch.zeros(1))
    return folder


def test_a_file_acts_as_its_network_inside_the_action_space(files: Path) -> None:
    network, policy = Looking(), OnnxPolicy(files / "looking.onnx", 5)
    network.load_state_dict(torch.load(files / "looking.pt"))
    assert isinstance(policy, Policy)
    rng = np.random.default_rng(0)
    seen = {
        "front": rng.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8),
        "speed": torch.from_numpy(3 * rng.standard_normal((5, 2), np.float32)),
    }
    made = policy.act(range(5), seen, {})
    with torch.no_grad():
        wanted = network(torch.from_numpy(seen["front"]), seen["speed"]).clamp(-1, 1).numpy()
    assert made.shape == (5, 2, 2)
    np.testing.assert_allclose(made, wanted, atol=1e-4)
    assert np.abs(made).max() == 1.0
    assert (policy.observation_space, policy.action_space) == (BOTH, wheel_space())


def test_each_slot_has_a_state_of_its_own(files: Path) -> None:
    policy = OnnxPolicy(files / "counting.onnx", 3)
    pictures = np.zeros((3, 8, 8, 3), np.uint8)
    pictures[1] = 255
    policy.act([0, 1, 2], pictures, {})
    policy.act([0, 2], pictures[[0, 2]], {})
    policy.reset([2], [9])
    made = policy.act([2, 1, 0], pictures[[2, 1, 0]], {})
    np.testing.assert_allclose(made[:, 0], [[0.1, 0], [0.2, 1], [0.3, 0]], atol=1e-6)


class Choosing(nn.Module):
    """The brightest column of the picture."""

    def forward(self, picture: Tensor) -> Tensor:
        return picture.float().mean((1, 3)).argmax(1)[:, None]


def test_a_discrete_policy_gives_whole_numbers(tmp_path: Path) -> None:
    save_policy(Choosing(), tmp_path / "choosing.onnx", IMAGE, spaces.Discrete(8))
    pictures = np.zeros((2, 8, 8, 3), np.uint8)
    pictures[0, :, 3], pictures[1, :, 6] = 200, 200
    made = OnnxPolicy(tmp_path / "choosing.onnx", 2).act([0, 1], pictures, {})
    assert made.tolist() == [[3], [6]]
    assert made.dtype == np.int64


SPACES = [
    BOTH,
    spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, 5.0], np.float32)),
    spaces.Discrete(4, start=2),
    spaces.MultiDiscrete([2, 3]),
    spaces.MultiBinary(4),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_spaces_survive_as_json(space: spaces.Space) -> None:  # type: ignore[type-arg]
    assert restore(describe(space)) == space


def test_a_recorder_takes_a_file_where_its_spaces_fit(files: Path) -> None:
    env: gym.Env[np.ndarray, np.ndarray] = gym.Env()
    env.observation_space, env.action_space = IMAGE, wheel_space()
    actor = make_actor(str(files / "counting.onnx"), env, {})
    actor.reset([0], [0])
    assert actor.act(np.zeros((1, 8, 8, 3), np.uint8), {}).shape == (1, 2)
    with pytest.raises(ValueError, match=r"the policy's observations are .*Dict"):
        make_actor(str(files / "looking.onnx"), env, {})


class Chancy(nn.Module):
    """Adds noise."""

    def forward(self, picture: Tensor) -> Tensor:
        return torch.randn_like(picture.float().mean((2, 3)))[:, None, :2]


def test_bad_files_and_networks_are_told(files: Path, tmp_path: Path) -> None:
    import onnx

    with pytest.raises(FileNotFoundError, match="there is no policy"):
        OnnxPolicy(tmp_path / "none.onnx")
    (tmp_path / "short.onnx").write_bytes((files / "looking.onnx").read_bytes()[:1000])
    with pytest.raises(ValueError, match="no ONNX file that onnxruntime can run"):
        OnnxPolicy(tmp_path / "short.onnx")
    model = onnx.load(files / "counting.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "foreign.onnx")
    with pytest.raises(ValueError, match="does not tell its spaces"):
        OnnxPolicy(tmp_path / "foreign.onnx")
    with pytest.raises(ValueError, match="begins with a state of zeros"):
        save_policy(Counting(), tmp_path / "x.onnx", IMAGE, wheel_space(), state=torch.ones(1))
    with pytest.raises(ValueError, match="answers otherwise"):
        save_policy(Chancy(), tmp_path / "x.onnx", IMAGE, wheel_space())
    assert not list(tmp_path.glob("x.*"))
    with pytest.raises(ValueError, match="policies take Box"):
        describe(spaces.Text(3))
    with pytest.raises(ValueError, match=r"of 1 slots has shape \(1, 8, 8, 3\), got \(1, 4, 4, 3\)"):
        OnnxPolicy(files / "counting.onnx").act([0], np.zeros((1, 4, 4, 3), np.uint8), {})
    with pytest.raises(ValueError, match="at least 1 slot"):
        RandomPolicy(IMAGE, 0)
