"""The Drive twin: a MuJoCo car with a camera at its windscreen in a procedural town, as a World.

Shape legend: n slots named in a call, T = 1 frame per step, S x S pixels, P proprio width.
Reward per frame = 0.1 x metres of progress along the lane, minus 0.05 x metres beyond 0.75 m off its middle (at most
0.1), minus 1 on leaving the road, minus 1 on a collision, minus 0.002 x change of acceleration (m/s^2 per frame, at
most 10). An episode ends on a collision with anything but the ground and kerbs, or when the car's middle is on grass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wmsim.control import Control, wheel_space
from wmsim.sims.car import FRAMES_PER_SECOND
from wmsim.sims.episode import Episode, Outcome
from wmsim.sims.events import EVENTS as EVENTS
from wmsim.sims.events import check_events
from wmsim.sims.state import STATE_NAMES as STATE_NAMES
from wmsim.world import Snapshot, Start, Step, WorldSpec, check_robot, check_seeds, check_slots, check_snapshot

OUTPUTS = ("state", "depth", "segmentation", "normals", "camera", "events")
"""What `Step.info` can hold beside the reward's components; "camera" is its pose, c2w (n, T, 4, 4); "events" (n, 8)
how far each of EVENTS can be seen, in [0, 1]."""


class DriveWorld:
    """The town and its car as a World: every slot has a town of its own."""

    def __init__(
        self, slots: int = 1, size: int = 64, outputs: Sequence[str] = (), renderer: str = "rays", workers: int = 1
    ) -> None:
        """size: pixels a side. outputs: of OUTPUTS. renderer: "rays" or "gl". workers: threads that step slots.

        ValueError: an unknown output or renderer, or a count below one. ImportError: "gl" where there is no GL.
        """
        unknown = [o for o in outputs if o not in OUTPUTS]
        if unknown:
            raise ValueError(f"unknown output {unknown[0]!r}: choose from {', '.join(OUTPUTS)}")
        if renderer not in ("rays", "gl"):
            raise ValueError(f"unknown renderer {renderer!r}: choose 'rays' or 'gl'")
        if renderer == "gl" and (workers > 1 or "normals" in outputs):
            raise ValueError("renderer='gl' works in one thread and has no normals: use workers=1, or renderer='rays'")
        if min(slots, workers) < 1 or size < 8:
            raise ValueError(f"slots and workers are at least 1 and size at least 8, got {slots}, {workers} and {size}")
        self._size, self._outputs, self._renderer = size, tuple(outputs), renderer
        self._episodes: list[Episode | None] = [None] * slots
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    @property
    def spec(self) -> WorldSpec:
        """Camera "front", controls "wheel", 16 frames/s, speed and yaw rate as proprio, and the events of EVENTS."""
        return WorldSpec(
            name="drive",
            cameras={"front": (self._size, self._size, 3)},
            frames_per_second=float(FRAMES_PER_SECOND),
            controls={"wheel": wheel_space()},
            proprio=("speed_mps", "yaw_rate_radps"),
            events=EVENTS,
            memory="state",
        )

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return len(self._episodes)

    @property
    def device(self) -> torch.device:
        """The CPU."""
        return torch.device("cpu")

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        """Begin an episode per slot: the seed draws the town, the light, the traffic, and the car's place and speed.

        ValueError: bad slots or seeds, or `starts`: a frame does not fix a physical state (restore a snapshot instead).
        """
        chosen = check_slots(slots, self.slots)
        keys = check_seeds(seeds, chosen)
        if starts is not None:
            raise ValueError("the drive twin cannot begin from frames, which do not fix its state: restore a snapshot")

        def begin(row: int) -> Outcome:
            episode = Episode(keys[row], self._size, self._renderer, self._outputs)
            self._put(chosen[row], episode)
            return episode.outcome

        return self._gather(begin, len(chosen))

    def step(self, slots: Sequence[int], control: Control) -> Step:
        """Advance `slots` by one frame under (n, 1, 2) wheel controls, clipped to [-1, 1]; events begin in this frame.

        ValueError: a slot never reset, a control of another kind, shape, or not finite, or an event not of EVENTS.
        """
        chosen = check_slots(slots, self.slots)
        episodes = [self._running(slot) for slot in chosen]
        wheel = check_robot(control, "wheel", 2, chosen, 1)[:, 0].clamp(-1, 1).numpy().astype(np.float64)
        told = check_events(control.event, len(chosen))
        return self._gather(
            lambda row: episodes[row].step(float(wheel[row, 0]), float(wheel[row, 1]), told[row]), len(chosen)
        )

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        """Physics, traffic, reward and picture of `slots`. ValueError: a slot never reset."""
        return Snapshot("drive", tuple(self._running(slot).save() for slot in check_slots(slots, self.slots)))

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        """Put the rows of `snapshot` into `slots`. ValueError: another world's, another count, or another size."""
        chosen = check_slots(slots, self.slots)
        check_snapshot(snapshot, "drive", chosen)
        for state in snapshot.states:
            if state.outcome.image.colour.shape[0] != self._size:
                raise ValueError(f"this snapshot's frames are not {self._size} pixels a side")
        for slot, state in zip(chosen, snapshot.states, strict=True):
            episode = self._episodes[slot]
            if episode is None or episode.seed != state.seed:
                episode = Episode(state.seed, self._size, self._renderer, self._outputs)
                self._put(slot, episode)
            episode.load(state)

    def close(self) -> None:
        """End the threads and drop the towns."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        for slot in range(self.slots):
            self._put(slot, None)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _put(self, slot: int, episode: Episode | None) -> None:
        before, self._episodes[slot] = self._episodes[slot], episode
        if before is not None:
            before.close()

    def _running(self, slot: int) -> Episode:
        episode = self._episodes[slot]
        if episode is None:
            raise ValueError(f"slot {slot} was never reset: call reset before it")
        return episode

    def _gather(self, work: Callable[[int], Outcome], count: int) -> Step:
        rows = range(count)
        outcomes = list(self._pool.map(work, rows) if self._pool is not None else map(work, rows))
        frames = np.stack([o.image.colour for o in outcomes])[:, None]
        parts = np.array([o.parts for o in outcomes], np.float32)[:, None]
        return Step(
            frames={"front": torch.from_numpy(frames)},
            reward=torch.from_numpy(parts.sum(-1)),
            terminated=torch.tensor([[o.terminated] for o in outcomes]),
            proprio=torch.from_numpy(np.array([o.proprio for o in outcomes], np.float32)[:, None]),
            info=self._info(outcomes, parts),
        )

    def _info(self, outcomes: list[Outcome], parts: NDArray[np.float32]) -> dict[str, Any]:
        names = ("reward_progress", "reward_lane", "reward_collision", "reward_jerk")
        info: dict[str, Any] = {name: parts[:, :, i] for i, name in enumerate(names)}
        if "state" in self._outputs:
            info["state"] = np.stack([o.state for o in outcomes])
        images = {"depth": "depth", "segmentation": "label", "normals": "normals"}
        for name, attribute in images.items():
            if name in self._outputs:
                info[name] = np.stack([getattr(o.image, attribute) for o in outcomes])[:, None]
        if "events" in self._outputs:
            info["events"] = np.stack([o.events for o in outcomes])
        if "camera" in self._outputs:
            info["camera"] = np.stack([o.c2w for o in outcomes])[:, None]
        return info
