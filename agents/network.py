"""Actor and critic that see pictures and remember: a small convolutional network, a GRU, a Gaussian over actions.

Instead of the GRU the last few frames can be all that is remembered. A GRU that has only known short episodes is lost
in longer ones; what sees four frames does not know how long an episode has been going on.

Shape legend: n environments, T steps, H x W pixels, P proprio width, A actions, D memory width, F features.
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
        self,
        observation: spaces.Space[Any],
        action: spaces.Space[Any],
        stack: int = 0,
        features: int = 192,
        apart: bool = False,
    ) -> None:
        """stack: frames that are seen at once and remembered, 0 for a GRU. features: F. apart: the value reads them
        without shaping them, so that learning it leaves the actor as it is.

        ValueError: spaces that are no picture (with or without "proprio"), actions without bounds, a stack of one.
        """
        super().__init__()
        if stack == 1 or stack < 0:
            raise ValueError(f"stack is at least 2 frames, or 0 for a GRU; got {stack}")
        self.stack, self.features, self.apart = stack, features, apart
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
        self.gather = nn.Sequential(nn.Linear(seen + width, features), nn.LayerNorm(features), nn.SiLU())
        if stack:
            self.blend = nn.Sequential(nn.Linear(stack * features, features), nn.LayerNorm(features), nn.SiLU())
        else:
            self.memory = nn.GRUCell(features, features)
        self.mean = nn.Linear(features, action.shape[0])
        self.value = nn.Sequential(nn.Linear(features, features), nn.SiLU(), nn.Linear(features, 1))
        self.log_std = nn.Parameter(torch.full(action.shape, -0.7))
        for bound in ("low", "high"):
            self.register_buffer(bound, torch.from_numpy(np.asarray(getattr(action, bound), np.float32)))
        nn.init.orthogonal_(self.mean.weight, 0.01)
        nn.init.orthogonal_(self.value[-1].weight, 1.0)

    @property
    def width(self) -> int:
        """D: of the GRU, or of the frames before the present one."""
        return (self.stack - 1) * self.features if self.stack else self.features

    def begin(self, rows: int) -> Tensor:
        """The memory (n, D) of new episodes."""
        return torch.zeros(rows, self.width, device=self.low.device)

    def embed(self, observation: Observation) -> Tensor:
        """What is seen and felt, (n, F), without the past."""
        image = observation["image"] if isinstance(observation, dict) else observation
        features = self.see(image.permute(0, 3, 1, 2).float() / 255.0 - 0.5)
        if isinstance(observation, dict):
            features = torch.cat([features, observation["proprio"].float() * 0.1], -1)
        out: Tensor = self.gather(features)
        return out

    def recall(self, embedded: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean action (n, A), value (n,) and next memory (n, D)."""
        if self.stack:
            recent = torch.cat([memory, embedded], -1)
            known, memory = self.blend(recent), recent[:, self.features :]
        else:
            known = memory = self.memory(embedded, memory)
        value = self.value(known.detach() if self.apart else known)
        return torch.tanh(self.mean(known)), value.squeeze(-1), memory

    def along(self, embedded: Tensor, memory: Tensor, fresh: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """`recall` step by step: means (T, n, A) and values (T, n) of what is seen, (T, n, F), and the memory after it.

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


def save_weights(network: ActorCritic, path: Path) -> None:
    """Write the network as other agents begin from it (`load_weights`)."""
    torch.save({"network": network.state_dict(), "stack": network.stack}, path)


def load_weights(path: str | Path, observation: spaces.Space[Any], action: spaces.Space[Any]) -> ActorCritic:
    """The network that `save_weights` wrote; ValueError when it was made for other spaces."""
    state = torch.load(path, weights_only=True)
    network = ActorCritic(observation, action, state.get("stack", 0))
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:
        raise ValueError(f"{path} is no clone for the spaces {observation} and {action}: {error}") from error
    return network


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
