"""n slots of a world as a native `gymnasium.vector.VectorEnv`: one batched call of the world a step.

Shape legend: n environments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from wmsim.env.episodes import UNSEEN_SEEDS, EnvSnapshot, Episodes, Outcome, observe
from wmsim.env.infos import join, rows_of
from wmsim.env.task import EnvConfig, Task, find_task, open_world
from wmsim.env.translate import check_actions
from wmsim.env.window import Window, check_render_mode, tile
from wmsim.world import World, check_slots

Seeds = int | Sequence[int | None] | None
Result = tuple[Any, Any, Any, Any, dict[str, Any]]


class WorldVectorEnv(VectorEnv[Any, Any, Any]):
    """A task on n slots of a world, with each of Gymnasium's three autoreset modes; NEXT_STEP unless told otherwise.

    Rewards, ends and infos follow `gymnasium.vector.SyncVectorEnv` to the letter. With output="torch" observations,
    rewards and ends are tensors on the world's device and never visit the host; bookkeeping reads the ends alone.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 16, "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        task: str | Task = "drive",
        world: str | Path | World | None = None,
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        **settings: Any,
    ) -> None:
        """`settings` are fields of `EnvConfig`; world None is the task's own. Errors as in `open_world`."""
        self._window: Window | None = None
        if num_envs < 1:
            raise ValueError(f"num_envs is at least 1, got {num_envs}")
        self.num_envs = num_envs
        self.task, self.config = find_task(task), EnvConfig(**settings)
        self.render_mode = check_render_mode(render_mode)
        self.autoreset_mode = _mode(autoreset_mode)
        self._source = world
        self.world = open_world(world, self.task, num_envs, self.config)
        self._episodes = Episodes(self.world, self.task, self.config, num_envs)
        fps = self.world.spec.frames_per_second
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode, "render_fps": fps}
        self.single_observation_space = self._episodes.observation_space
        self.single_action_space = self._episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._all = list(range(num_envs))

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every slot, or with options={"reset_mask": (n,) bool array} in those alone.

        seed: s gives slot i the seed s + i; a list gives each its own, None where a slot goes on with its next episode.
        options={"start": a `wmsim.world.Start` of as many rows as begin} begins from these frames; errors as in
        `World.reset`.
        """
        rows = self._masked(options)
        self._seed(seed, rows)
        outcome = self._episodes.begin(rows, (options or {}).get("start"))
        self._animate()
        return observe(self._episodes), self._infos([(rows, outcome.info)])

    def step(self, actions: Any) -> Result:
        """Advance every slot; those that ended before or now are reset as the autoreset mode says.

        ResetNeeded: a slot that was never reset, or in DISABLED mode one that is over. ValueError: wrong actions.
        """
        going = self._episodes.running
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            result = self._next_step(actions, going)
        else:
            self._check_running(going)
            result = self._same_step(actions)
        self._animate()
        return result

    def tell(self, text: str, slots: Sequence[int] | None = None) -> None:
        """Tell an event to the world in `slots`, by default in all, from the next step on.

        ValueError: a world without events, one that does not know this one, or wrong slots.
        """
        self._begun("tell anything to")
        self._episodes.tell(self._all if slots is None else check_slots(slots, self.num_envs), text)

    def snapshot(self, slots: Sequence[int] | None = None) -> EnvSnapshot:
        """The full state of `slots`, of all of them by default."""
        self._begun("snapshot")
        return self._episodes.snapshot(self._all if slots is None else check_slots(slots, self.num_envs))

    def restore(self, slots: Sequence[int] | None, snapshot: EnvSnapshot) -> None:
        """Put the rows of `snapshot` into `slots` (None: all); what follows is bit-identical."""
        self._episodes.restore(self._all if slots is None else check_slots(slots, self.num_envs), snapshot)

    def fork(self, source: int, slots: Sequence[int]) -> None:
        """Make each of `slots` a copy of slot `source`."""
        self.restore(slots, self.snapshot([source]).select([0] * len(slots)))

    def observe(self) -> Any:
        """What every slot shows now: what the last reset or step returned, or what a restore brought back."""
        self._begun("observe")
        return observe(self._episodes)

    def render(self) -> Any:
        """For "rgb_array" a tuple of n frames (H, W, 3) uint8; "human" shows them tiled in one window."""
        self._begun("render")
        frames: NDArray[np.uint8] = self._episodes.frames[self._episodes.camera].cpu().numpy()
        if self.render_mode == "rgb_array":
            return tuple(frame.copy() for frame in frames)
        if self.render_mode == "human":
            self._show(tile(frames))
        return None

    def close_extras(self, **kwargs: Any) -> None:
        """Give back the world, if it was made here, and the window."""
        if hasattr(self, "world") and not isinstance(self._source, World):
            self.world.close()
        if self._window is not None:
            self._window.close()

    # --- autoreset ---------------------------------------------------------------------------------------------------

    def _next_step(self, actions: Any, going: NDArray[np.bool_]) -> Result:
        if going.all():
            return self._result(self._all, self._episodes.advance(self._all, actions))
        if not self._episodes.frames or (self._episodes.seeds < 0).any():
            raise ResetNeeded("a slot was never reset: call reset() before step()")
        checked = check_actions(actions, self._episodes.translator.space, self.num_envs, self.world.device)
        live, over = np.flatnonzero(going).tolist(), np.flatnonzero(~going).tolist()
        parts = [(live, self._episodes.advance(live, checked[live]))] if live else []
        parts.append((over, self._episodes.begin(over)))
        return self._gather(parts)

    def _same_step(self, actions: Any) -> Result:
        outcome = self._episodes.advance(self._all, actions)
        over = np.flatnonzero(outcome.over).tolist()
        if self.autoreset_mode == AutoresetMode.DISABLED or not over:
            return self._result(self._all, outcome)
        final: NDArray[Any] = np.full(self.num_envs, None, object)
        for row in over:
            final[row] = observe(self._episodes, row)
        last = self._infos([(over, rows_of(outcome.info, over))])
        live = [row for row in self._all if row not in set(over)]
        first = self._episodes.begin(over)
        infos = self._infos([(live, rows_of(outcome.info, live)), (over, first.info)])
        ended = outcome.over
        infos.update(final_obs=final, _final_obs=ended, final_info=last, _final_info=ended.copy())
        obs, reward, terminated, truncated, _ = self._result(self._all, outcome)
        return obs, reward, terminated, truncated, infos

    def _gather(self, parts: list[tuple[list[int], Outcome]]) -> Result:
        order = np.argsort(np.concatenate([rows for rows, _ in parts])).tolist()
        whole = Outcome(
            torch.cat([o.reward for _, o in parts])[order],
            torch.cat([o.terminated for _, o in parts])[order],
            np.concatenate([o.truncated for _, o in parts])[order],
            {},
        )
        obs, reward, terminated, truncated, _ = self._result(self._all, whole)
        return obs, reward, terminated, truncated, self._infos([(rows, o.info) for rows, o in parts])

    def _result(self, rows: list[int], outcome: Outcome) -> Result:
        infos, obs = self._infos([(rows, outcome.info)]), observe(self._episodes)
        if self.config.output == "torch":
            truncated = torch.from_numpy(outcome.truncated).to(self.world.device)
            return obs, outcome.reward, outcome.terminated, truncated, infos
        reward = outcome.reward.cpu().numpy().astype(np.float64)
        return obs, reward, outcome.terminated.cpu().numpy(), outcome.truncated, infos

    # --- checks and small parts --------------------------------------------------------------------------------------

    def _seed(self, seed: Seeds, rows: list[int]) -> None:
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
            seeds: Sequence[int | None] = [int(seed) + i for i in self._all]
        else:
            seeds = [None] * self.num_envs if seed is None else list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"{self.num_envs} environments need {self.num_envs} seeds, got {len(seeds)}")
        for row in rows:
            chosen = seeds[row]
            if chosen is None and self._episodes.seeds[row] < 0:
                chosen = int(self.np_random.integers(UNSEEN_SEEDS))
            if chosen is not None:
                self._episodes.seed(row, int(chosen))

    def _masked(self, options: dict[str, Any] | None) -> list[int]:
        if not options or "reset_mask" not in options:
            return self._all
        mask = options["reset_mask"]
        good = isinstance(mask, np.ndarray) and mask.shape == (self.num_envs,) and mask.dtype == np.bool_
        if not good or not mask.any():
            raise ValueError(f"reset_mask is a numpy bool array of shape ({self.num_envs},) with a True, got {mask!r}")
        rows: list[int] = np.flatnonzero(mask).tolist()
        return rows

    def _check_running(self, going: NDArray[np.bool_]) -> None:
        if not going.all():
            over = np.flatnonzero(~going).tolist()
            raise ResetNeeded(f'slots {over} are over or never began: call reset(options={{"reset_mask": mask}}) first')

    def _begun(self, asked: str) -> None:
        if not self._episodes.frames:
            raise ResetNeeded(f"there is nothing to {asked} before the first reset(): call reset() first")

    def _infos(self, parts: list[tuple[list[int], dict[str, Any]]]) -> dict[str, Any]:
        return join(parts, self.num_envs, self.config.output == "torch")

    def _animate(self) -> None:
        if self.render_mode == "human":
            self.render()

    def _show(self, grid: NDArray[np.uint8]) -> None:
        if self._window is None:
            caption = f"wmsim {self.task.name} x {self.num_envs}"
            self._window = Window(grid.shape[:2], self.world.spec.frames_per_second, caption)
        self._window.show(grid)


def _mode(mode: str | AutoresetMode) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        names = [m.value for m in AutoresetMode]
        raise ValueError(f"unknown autoreset_mode {mode!r}: choose an AutoresetMode or one of {names}") from None
