"""DreamWorld: a checkpoint as a World; every step is one batched pass of the network over the slots named.

Shape legend: n slots named in a call, L start frames, H x W pixels, S tokens of C channels, A action width.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from gymnasium import spaces
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from wmsim import checkpoint
from wmsim.control import Control, to_unit
from wmsim.dream.ears import Ears
from wmsim.dream.noise import keyed_index, keyed_normal, keyed_uniform
from wmsim.dream.randomise import Randomise
from wmsim.model.cache import RollingCache
from wmsim.model.events import aged
from wmsim.model.heads import Readings
from wmsim.model.precision import fast_dtype
from wmsim.model.world_model import WorldModel
from wmsim.world import Snapshot, Start, Step, WorldSpec, check_robot, check_seeds, check_slots, check_snapshot

MAX_STEPS = 64


def shipped() -> tuple[str, ...]:
    """Names of the checkpoints that come with the package."""
    folder = files("wmsim") / "assets"
    return (
        tuple(sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".safetensors")))
        if folder.is_dir()
        else ()
    )


def load(
    source: str | Path = "drive",
    slots: int = 1,
    device: str = "cpu",
    steps: int | None = None,
    randomise: Randomise | None = None,
    endless: bool = False,
    ears: Ears | None = None,
) -> DreamWorld:
    """The dream of a shipped checkpoint by name, or of a checkpoint file by path.

    steps: K, the denoising passes a frame; None takes what the checkpoint recommends. randomise: draw K and the noise
    of the memory for every episode instead. endless: an end is told by its probability alone, and the dream goes on.
    ears: how it understands what is told, None for those of the extra [text], made when they are first needed.
    Errors as `checkpoint.load`.
    """
    path = Path(source)
    if not path.is_file():
        path = Path(str(files("wmsim") / "assets" / f"{source}.safetensors"))
    if not path.is_file():
        raise FileNotFoundError(
            f"{source!r} is neither a checkpoint file nor one that ships ({', '.join(shipped()) or 'none'})"
        )
    model, card, starts = checkpoint.load(path, device, fast_dtype(device))
    return DreamWorld(model, card, starts, slots, steps, randomise, endless, ears)


def spec_of(model: WorldModel, card: checkpoint.Card) -> WorldSpec:
    """What the dream of a checkpoint promises."""
    size = (model.config.tokenizer.height, model.config.tokenizer.width, 3)
    low, high = np.array(card.low, np.float32), np.array(card.high, np.float32)
    return WorldSpec(
        name=card.name,
        cameras={card.camera: size},
        frames_per_second=card.frames_per_second,
        controls={card.domain: spaces.Box(low, high, dtype=np.float32)},
        proprio=card.proprio,
        events=tuple(card.captions),
        memory="window",
        context=model.config.dynamics.context,
        reward=card.reward,
        termination=card.termination,
        uncertainty=True,
        tolerance=card.tolerance,
        stochastic=True,
        licence=card.licence,
    )


class DreamWorld:
    """The World whose frames `model` dreams; state of every slot is preallocated, any subset may be stepped."""

    def __init__(
        self,
        model: WorldModel,
        card: checkpoint.Card,
        starts: checkpoint.Starts,
        slots: int = 1,
        steps: int | None = None,
        randomise: Randomise | None = None,
        endless: bool = False,
        ears: Ears | None = None,
    ) -> None:
        if slots < 1:
            raise ValueError(f"a world has at least 1 slot, got {slots}")
        self.model, self.card, self.starts = model, card, starts
        if steps is not None and randomise is not None:
            raise ValueError(f"the passes a frame are either steps={steps} or drawn by {randomise}, not both")
        self.steps, self.randomise, self.endless = card.steps if steps is None else steps, randomise, endless
        most = max(self.steps, *randomise.steps) if randomise else self.steps
        if self.steps < 1 or most > MAX_STEPS:
            raise ValueError(f"steps (denoising passes a frame) lies in 1 .. {MAX_STEPS}, got {most}")
        self.spec, self._slots, self._device = spec_of(model, card), slots, model.latent_mean.device
        self._cache = RollingCache(model.config.dynamics, slots, model.dtype, self._device)
        self._seeds = torch.zeros(slots, dtype=torch.long, device=self._device)
        self._bounds = tuple(card.low), tuple(card.high)
        self._live, self._ended = np.zeros(slots, bool), np.zeros(slots, bool)
        shape = self.spec.cameras[card.camera]
        self._frames = torch.zeros(slots, *shape, dtype=torch.uint8, device=self._device)
        self._proprio = torch.zeros(slots, len(card.proprio), device=self._device)
        self._memory = torch.zeros(slots, model.config.dynamics.memory, device=self._device)
        self._ears = ears if ears and card.captions else Ears(card.captions)
        self._told = torch.zeros(slots, model.config.dynamics.told, device=self._device)

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return self._slots

    @property
    def device(self) -> torch.device:
        """Where the network and all frames lie."""
        return self._device

    @torch.no_grad()
    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        """Begin from `starts`, or from the checkpoint's own start runs drawn by seed; see `World.reset`."""
        rows = check_slots(slots, self._slots)
        self._seeds[rows] = torch.tensor(check_seeds(seeds, rows), device=self._device)
        tokens, action, proprio = self._drawn(rows) if starts is None else self._given(rows, starts)
        self._cache.clear(rows)
        self._told[rows], self._memory[rows] = 0, 0
        context = None if self.randomise is None else self.randomise.drawn(self._seeds[rows])[1]
        before: Tensor | None = None
        for t in range(tokens.shape[1]):
            given = self._noise(rows), action[:, t], self._cache, rows, context, before
            readings = self.model.commit(tokens[:, t], *given)
            before = readings.proprio if proprio is None else proprio[:, t]
        self._frames[rows] = self.model.decode(tokens[:, -1]) if starts is None else self._last(starts)
        assert before is not None
        self._proprio[rows] = before
        self._live[rows], self._ended[rows] = True, False
        zero = torch.zeros(len(rows), device=self._device)
        return self._shown(rows, zero, zero, zero)

    @torch.no_grad()
    def step(self, slots: Sequence[int], control: Control) -> Step:
        """Dream one frame in each of `slots`; slots that have ended repeat their last frame. See `World.step`.

        What `control.event` tells is heard from this frame on, for `event_frames` frames or until something else is
        told. ValueError: a text that is not understood, with the nearest events, or any text where there are no events.
        """
        rows = check_slots(slots, self._slots)
        if not self._live[rows].all():
            raise ValueError(f"slot {next(r for r in rows if not self._live[r])} was never reset: call reset first")
        given = check_robot(control, self.card.domain, len(self.card.low), rows, 1)[:, 0]
        self._listen(rows, control.event)
        action = torch.cat([to_unit(given.to(self._device), *self._bounds), self._told[rows]], -1)
        reward, uncertainty, end = torch.zeros(3, len(rows), device=self._device)
        end += torch.as_tensor(self._ended[rows], device=self._device)
        going = np.flatnonzero(~self._ended[rows])
        for some, passes, context in self._alike(rows, going) if len(going) else ():
            done = self._advance([rows[i] for i in some], action[some], passes, context)
            reward[some], uncertainty[some], end[some] = done
        return self._shown(rows, reward, uncertainty, end)

    def hear(self, text: str) -> str:
        """`text`, which the dream understands. ValueError: it does not, with the nearest events."""
        return self._ears.hear(text)

    def _listen(self, rows: list[int], events: tuple[str | None, ...] | None) -> None:
        """What was told grows older by a frame and is forgotten in time; what is told now takes its place."""
        events = (None,) * len(rows) if events is None else events
        if len(events) != len(rows):
            raise ValueError(f"{len(rows)} slots take as many events, None where nothing is told, got {len(events)}")
        heard = {row: self._ears.vector(text) for row, text in zip(rows, events, strict=True) if text is not None}
        if not self._told.shape[1]:
            return
        self._told[rows] = aged(self._told[rows], self.model.config.dynamics.event_frames)
        for row, vector in heard.items():
            self._told[row] = torch.tensor([*vector, 1.0, 0.0], device=self._device)

    def _alike(self, rows: list[int], going: NDArray[np.intp]) -> list[tuple[NDArray[np.intp], int, Tensor | None]]:
        """The places `going` in groups of as many passes a frame, with the passes and their context's signal level."""
        if self.randomise is None:
            return [(going, self.steps, None)]
        passes, context = self.randomise.drawn(self._seeds[[rows[i] for i in going]])
        groups = [(np.flatnonzero(passes.cpu().numpy() == count), count) for count in passes.unique().tolist()]
        return [(going[chosen], count, context[chosen]) for chosen, count in groups]

    def _advance(
        self, rows: list[int], action: Float[Tensor, "n A"], steps: int, context: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        given = action, self._cache, rows, steps, context, self._proprio[rows], self._memory[rows]
        tokens, readings = self.model.dream(self._noise(rows), *given)
        self._frames[rows] = self.model.decode(tokens, self._frames[rows])
        return self._read(rows, readings)

    def _read(self, rows: list[int], readings: Readings) -> tuple[Tensor, Tensor, Tensor]:
        """Take in what the heads say of `rows`; returns reward, uncertainty and the probability of an end.

        Ends are drawn with that probability: were only likely ones to happen, a drive at constant risk would never end.
        """
        self._proprio[rows] = readings.proprio
        if readings.memory is not None:
            self._memory[rows] = readings.memory
        if self.card.termination and not self.endless:
            drawn = keyed_uniform(self._seeds[rows], self._cache.counts[rows])
            self._ended[rows] = (drawn < readings.end).cpu().numpy()
        return readings.reward, readings.log_error.mul(0.5).exp(), readings.end

    def _noise(self, rows: list[int]) -> Float[Tensor, "n S C"]:
        dynamics = self.model.config.dynamics
        flat = keyed_normal(self._seeds[rows], self._cache.counts[rows], dynamics.tokens * dynamics.channels)
        return rearrange(flat, "n (s c) -> n s c", s=dynamics.tokens)

    def _shown(self, rows: list[int], reward: Tensor, uncertainty: Tensor, end: Tensor) -> Step:
        ended = torch.as_tensor(self._ended[rows], device=self._device)
        return Step(
            frames={self.card.camera: self._frames[rows][:, None]},
            reward=reward[:, None] if self.card.reward else None,
            terminated=ended[:, None] if self.card.termination else None,
            proprio=self._proprio[rows][:, None],
            uncertainty=uncertainty[:, None],
            info={"end_probability": end[:, None]} if self.card.termination else {},
        )

    def _drawn(self, rows: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        index = keyed_index(self._seeds[rows], len(self.starts)).cpu()
        latent = checkpoint.dequantise(self.starts.latent[index]).to(self._device)
        action, proprio = self.starts.action[index].float(), self.starts.proprio[index].float()
        given = to_unit(action.to(self._device), *self._bounds)
        return self.model.to_tokens(latent), given, proprio.to(self._device)

    def _given(self, rows: list[int], starts: Start) -> tuple[Tensor, Tensor, Tensor | None]:
        frames = self._start_frames(rows, starts)
        length, width = frames.shape[1], len(self.card.low)
        action = torch.zeros(len(rows), length, width, device=self._device)
        if length > 1:
            if starts.control is None:
                raise ValueError(f"{length} start frames need the {length - 1} controls between them (Start.control)")
            given = check_robot(starts.control, self.card.domain, width, rows, length - 1)
            action[:, 1:] = to_unit(given.to(self._device), *self._bounds)
        tokens = torch.stack([self.model.encode(frames[:, t]) for t in range(length)], 1)
        if starts.proprio is not None and starts.proprio.shape[:2] != frames.shape[:2]:
            raise ValueError(f"{length} start frames take as much proprio, got {tuple(starts.proprio.shape)}")
        proprio = None if starts.proprio is None else starts.proprio.to(self._device, torch.float32)
        return tokens, action, proprio

    def _start_frames(self, rows: list[int], starts: Start) -> UInt8[Tensor, "n L H W 3"]:
        if self.card.camera not in starts.frames:
            raise ValueError(f"start frames are of camera {self.card.camera!r}, got {sorted(starts.frames)}")
        frames = starts.frames[self.card.camera]
        wanted = self.spec.cameras[self.card.camera]
        if frames.ndim != 5 or len(frames) != len(rows) or frames.shape[1] < 1 or tuple(frames.shape[2:]) != wanted:
            raise ValueError(f"start frames have shape ({len(rows)}, L, {wanted}), got {tuple(frames.shape)}")
        if frames.dtype != torch.uint8:
            raise ValueError(f"start frames are uint8, got {frames.dtype}")
        return frames.to(self._device)

    def _last(self, starts: Start) -> Tensor:
        return starts.frames[self.card.camera][:, -1].to(self._device)

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        """Copies of everything `slots` remember; see `World.snapshot`."""
        return Snapshot(self.spec.name, tuple(self._state(r) for r in check_slots(slots, self._slots)))

    def _state(self, row: int) -> dict[str, Any]:
        return {
            "cache": self._cache.state(row),
            "seed": int(self._seeds[row]),
            "frame": self._frames[row].clone(),
            "proprio": self._proprio[row].clone(),
            "told": self._told[row].clone(),
            "memory": self._memory[row].clone(),
            "live": bool(self._live[row]),
            "ended": bool(self._ended[row]),
        }

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        """Put what `snapshot` remembers into `slots`; see `World.restore`."""
        rows = check_slots(slots, self._slots)
        check_snapshot(snapshot, self.spec.name, rows)
        for row, state in zip(rows, snapshot.states, strict=True):
            self._cache.load(row, state["cache"])
            self._seeds[row], self._frames[row], self._proprio[row] = state["seed"], state["frame"], state["proprio"]
            self._told[row], self._memory[row] = state["told"], state["memory"]
            self._live[row], self._ended[row] = state["live"], state["ended"]

    def close(self) -> None:
        """The memory goes with the object; nothing else is held."""
