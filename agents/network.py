"""Actor and critic that see pictures and remember: a small convolutional network, a GRU, a Gaussian over actions.

Shape legend: n environments, T steps, H x W pixels, P proprio width, A actions, D memory width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from wmsim.policy.onnx import save_policy

Observation = Tensor | dict[str, Tensor]


class ActorCritic(nn.Module):
    """Observations of an environment -> mean action, value and next memory. The memory of a new episode is zeros.

    Actions are counted from -1 to 1 between the bounds of the space; `scaled` gives them in its own units.
    """

    low: Tensor
    high: Tensor

    def __init__(
        self, observation: spaces.Space[Any], action: spaces.Space[Any], memory: int = 192, apart: bool = False
    ) -> None:
        """apart: the value reads what is remembered without shaping it, so that learning it leaves the actor as it is.

        ValueError: spaces that are no picture (with or without "proprio"), or actions without bounds.
        """
        super().__init__()
        self.apart = apart
        picture, proprio = parts(observation)
        if not isinstance(action, spaces.Box) or len(action.shape) != 1 or not action.is_bounded():
            raise ValueError(f"the agents act in bounded Boxes of one axis, the environment takes {action}")
        self.see = nn.Sequential(
            nn.Conv2d(3, 32, 8, stride=4), nn.SiLU(),
            nn.Conv2d(32, 64, 4, stride=2), nn.SiLU(),
            nn.Conv2d(64, 64, 3, stride=1), nn.SiLU(), nn.Flatten(),
        )  # fmt: skip
        with torch.no_grad():
            seen = self.see(torch.zeros(1, 3, *picture.shape[:2])).shape[1]
        width = 0 if proprio is None else proprio.shape[0]
        self.gather = nn.Sequential(nn.Linear(seen + width, memory), nn.LayerNorm(memory), nn.SiLU())
        self.memory = nn.GRUCell(memory, memory)
        self.mean = nn.Linear(memory, action.shape[0])
        self.value = nn.Sequential(nn.Linear(memory, memory), nn.SiLU(), nn.Linear(memory, 1))
        self.log_std = nn.Parameter(torch.full(action.shape, -0.7))
        for bound in ("low", "high"):
            self.register_buffer(bound, torch.from_numpy(np.asarray(getattr(action, bound), np.float32)))
        nn.init.orthogonal_(self.mean.weight, 0.01)
        nn.init.orthogonal_(self.value[-1].weight, 1.0)

    def begin(self, rows: int) -> Tensor:
        """The memory (n, D) of new episodes."""
        return torch.zeros(rows, self.memory.hidden_size, device=self.low.device)

    def embed(self, observation: Observation) -> Tensor:
        """What is seen and felt, (n, D), without the past."""
        image = observation["image"] if isinstance(observation, dict) else observation
        features = self.see(image.permute(0, 3, 1, 2).float() / 255.0 - 0.5)
        if isinstance(observation, dict):
            features = torch.cat([features, observation["proprio"].float() * 0.1], -1)
        out: Tensor = self.gather(features)
        return out

    def recall(self, embedded: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean action (n, A), value (n,) and next memory (n, D)."""
        memory = self.memory(embedded, memory)
        value = self.value(memory.detach() if self.apart else memory)
        return torch.tanh(self.mean(memory)), value.squeeze(-1), memory

    def along(self, embedded: Tensor, memory: Tensor, fresh: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """`recall` step by step: means (T, n, A) and values (T, n) of what is seen, (T, n, D), and the memory after it.

        fresh: (T, n) whether an episode begins there, with a memory of zeros; None: nowhere.
        """
        means, values = [], []
        for t, now in enumerate(embedded.unbind(0)):
            mean, value, memory = self.recall(now, memory if fresh is None else memory * ~fresh[t][:, None])
            means.append(mean)
            values.append(value)
        return torch.stack(means), torch.stack(values), memory

    def forward(self, observation: Observation, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`embed`, then `recall`."""
        return self.recall(self.embed(observation), memory)

    def scaled(self, action: Tensor) -> Tensor:
        """Actions in -1 .. 1 (clipped) -> the space's own units."""
        return self.low + (action.clamp(-1, 1) + 1) / 2 * (self.high - self.low)

    def unscaled(self, action: Tensor) -> Tensor:
        """The inverse of `scaled`."""
        return (action - self.low) / (self.high - self.low) * 2 - 1


class Acting(nn.Module):
    """What an ONNX file of the actor computes: parts of the observation and memory -> action, next memory."""

    def __init__(self, network: ActorCritic) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, second: Tensor, third: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(image, memory) or (image, proprio, memory), as the space has them; actions (n, 1, A) and next memory."""
        if third is None:
            mean, _, after = self.network(image, second)
        else:
            mean, _, after = self.network({"image": image, "proprio": second}, third)
        return self.network.scaled(mean)[:, None], after


def save_actor(network: ActorCritic, path: Path, observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
    """Write the actor of `network` as a policy file; see `save_policy`."""
    save_policy(Acting(network), path, observation, action, state=network.begin(1)[0])


def parts(observation: spaces.Space[Any]) -> tuple[spaces.Box, spaces.Box | None]:
    """The picture and the proprioception of an observation space; ValueError when there is no picture."""
    inside = dict(observation) if isinstance(observation, spaces.Dict) else {"image": observation}
    picture, proprio = inside.get("image"), inside.get("proprio")
    good = isinstance(picture, spaces.Box) and len(picture.shape) == 3 and picture.shape[2] == 3
    if not good or list(inside) not in (["image"], ["image", "proprio"]) or not isinstance(proprio, spaces.Box | None):
        raise ValueError(f"the agents see one picture (H, W, 3), with 'proprio' beside it or not; got {observation}")
    assert isinstance(picture, spaces.Box)
    if min(picture.shape[:2]) < 36:
        raise ValueError(f"the agents' network needs pictures of at least 36 pixels a side, got {picture.shape}")
    return picture, proprio


def log_density(action: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Log density of actions (..., A) under independent Gaussians: (...)."""
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(action).sum(-1)
