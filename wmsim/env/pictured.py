"""Anyone's environment seen as its dream shows it: one picture of a given size, with or without proprioception.

Shape legend: H x W pixels, P proprio width, A action width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.spaces.utils import flatten_space, unflatten


class Pictured(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Observations as `wmsim record` writes them and the dream of that recording gives them back; actions as vectors.

    A policy trained here acts in the dream, and the reverse.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        size: Sequence[int] | None = None,
        image: str | None = None,
        render: bool = False,
        observation: str = "image",
    ) -> None:
        """size, image, render: as in `wmsim.data.rollout.ViewConfig`. observation: "image", or "dict" with "image" and
        "proprio", the vectors of a Dict observation. ValueError: no picture, no vectors, actions that are no Box."""
        from wmsim.data.rollout import View, ViewConfig  # recordings need the [data] extra

        super().__init__(env)
        if not isinstance(env.action_space, spaces.Box):
            raise ValueError(f"dreams take vectors of actions, the environment takes {env.action_space}")
        self._view = View(ViewConfig(image, render, None if size is None else (size[0], size[1])), env)
        seen, info = env.reset(seed=0)
        picture = spaces.Box(0, 255, self._view.frame(seen).shape, np.uint8)
        width = self._view.proprio(seen, info).size
        if observation == "dict" and not width:
            raise ValueError("the environment has no vectors beside its picture: use observation='image'")
        proprio = spaces.Box(-np.inf, np.inf, (width,), np.float32)
        self._with_proprio = observation == "dict"
        self.observation_space = spaces.Dict({"image": picture, "proprio": proprio}) if self._with_proprio else picture
        flat = flatten_space(env.action_space)
        assert isinstance(flat, spaces.Box)
        self.action_space = spaces.Box(flat.low.astype(np.float32), flat.high.astype(np.float32), dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """The first picture of an episode."""
        seen, info = self.env.reset(seed=seed, options=options)
        return self._shown(seen, info), info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Act with a vector (A,)."""
        given = unflatten(self.env.action_space, np.asarray(action, np.float32))
        seen, reward, terminated, truncated, info = self.env.step(given)
        return self._shown(seen, info), reward, terminated, truncated, info

    def _shown(self, seen: Any, info: dict[str, Any]) -> Any:
        frame = self._view.frame(seen)
        return {"image": frame, "proprio": self._view.proprio(seen, info)} if self._with_proprio else frame
