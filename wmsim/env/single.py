"""One slot of a world as a `gymnasium.Env`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from torch import Tensor

from wmsim.env.episodes import UNSEEN_SEEDS, EnvSnapshot, Episodes, observe
from wmsim.env.task import EnvConfig, Task, find_task, open_world
from wmsim.env.window import Window, check_render_mode
from wmsim.world import World


class WorldEnv(gymnasium.Env[Any, Any]):
    """A task on one slot of a world; `gym.make("wmsim/Drive-v0")` returns it bare, with `snapshot` and `fork`.

    The action is held for the frames_per_step frames of a step, the observation is the last of them, the reward is
    their sum. The episode is truncated after the task's time limit or the world's horizon.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 16}

    def __init__(
        self,
        task: str | Task = "drive",
        world: str | Path | World | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        """`settings` are fields of `EnvConfig`; world None is the task's own. Errors as in `open_world`."""
        self.task, self.config = find_task(task), EnvConfig(**settings)
        self.render_mode = check_render_mode(render_mode)
        self._source = world
        self.world = open_world(world, self.task, 1, self.config)
        self._episodes = Episodes(self.world, self.task, self.config, 1)
        self.metadata = {**self.metadata, "render_fps": self.world.spec.frames_per_second}
        self.observation_space = self._episodes.observation_space
        self.action_space = self._episodes.action_space
        self._window: Window | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the first episode of `seed`, or without one the next episode of the present seed.

        options={"start": a `wmsim.world.Start` of one row} begins from these frames; errors as in `World.reset`.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._episodes.seed(0, seed)
        elif self._episodes.seeds[0] < 0:
            self._episodes.seed(0, int(self.np_random.integers(UNSEEN_SEEDS)))
        outcome = self._episodes.begin([0], (options or {}).get("start"))
        self._animate()
        return observe(self._episodes, 0), self._info(outcome.info)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Advance by one step. ResetNeeded before a reset or after the end; ValueError for a wrong action."""
        if not self._episodes.running[0]:
            raise ResetNeeded("the episode is over or never began: call reset() before step()")
        given = action[None] if isinstance(action, Tensor) else np.asarray(action)[None]
        outcome = self._episodes.advance([0], given)
        self._animate()
        reward, ended = float(outcome.reward[0]), bool(outcome.terminated[0])
        return observe(self._episodes, 0), reward, ended, bool(outcome.truncated[0]), self._info(outcome.info)

    def tell(self, text: str) -> None:
        """Tell an event to the world, from the next step on; the last one told before a step counts.

        ValueError: a world without events, or one that does not know this one. ResetNeeded: before the first reset.
        """
        self._begun("tell anything to")
        self._episodes.tell([0], text)

    def snapshot(self) -> EnvSnapshot:
        """The full state of the episode."""
        self._begun("snapshot")
        return self._episodes.snapshot([0])

    def restore(self, snapshot: EnvSnapshot) -> None:
        """Go back to `snapshot`, of this or an equal environment; what follows is bit-identical."""
        self._episodes.restore([0], snapshot)

    def fork(self) -> WorldEnv:
        """A new environment, on a world of its own, in the very state of this one; ValueError on a world passed in."""
        if isinstance(self._source, World):
            raise ValueError("a fork needs a second slot: use WorldVectorEnv.fork, or make the env by the world's name")
        state = self.snapshot()
        twin = WorldEnv(self.task, self._source, self.render_mode, **vars(self.config))
        twin.spec = self.spec
        twin.restore(state)
        return twin

    def render(self) -> Any:
        """The last frame (H, W, 3) uint8 for "rgb_array"; "human" shows it in a window and returns None."""
        self._begun("render")
        frame: NDArray[np.uint8] = self._episodes.frames[self._episodes.camera][0].cpu().numpy()
        if self.render_mode == "rgb_array":
            return frame.copy()
        if self.render_mode == "human":
            self._show(frame)
        return None

    def close(self) -> None:
        """Give back the world, if it was made here, and the window; calling it twice is harmless."""
        if not isinstance(self._source, World):
            self.world.close()
        if self._window is not None:
            self._window.close()
            self._window = None

    def _begun(self, asked: str) -> None:
        if not self._episodes.frames:
            raise ResetNeeded(f"there is nothing to {asked} before the first reset(): call reset() first")

    def _animate(self) -> None:
        if self.render_mode == "human":
            self.render()

    def _show(self, frame: NDArray[np.uint8]) -> None:
        if self._window is None:
            self._window = Window(frame.shape[:2], self.world.spec.frames_per_second, f"wmsim {self.task.name}")
        self._window.show(frame)

    def _info(self, info: dict[str, Any]) -> dict[str, Any]:
        rows = {name: value[0] for name, value in info.items()}
        if self.config.output == "torch":
            return rows
        return {name: v.cpu().numpy() if isinstance(v, Tensor) else v for name, v in rows.items()}
