"""Plays one episode of a Gymnasium environment under a policy and keeps all of it.

Shape legend: H x W pixels, P proprio width, S world state width.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.spaces.utils import flatdim, flatten
from jaxtyping import Float32, UInt8
from PIL import Image

from wmsim.data.episodes import Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.data.telling import Teller
from wmsim.named import named

_ACTION_NAMES = {"wheel": ("steer", "drive"), "buttons": ("forward", "left", "backward", "right")}


@runtime_checkable
class Actor(Protocol):
    """What acts for one slot, step by step; `wmsim.policy.Executor` makes one of any policy."""

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Begin an episode in the rows, keyed by their seeds."""
        ...

    def act(self, observation: Any, info: Mapping[str, Any]) -> np.ndarray:
        """(1, ...) actions for observations and infos whose first axis is 1."""
        ...


@dataclass(frozen=True)
class ViewConfig:
    """Where the pictures come from: key `image` of a Dict observation, or env.render(); size: (H, W) asked for."""

    image: str | None = None
    render: bool = False
    size: tuple[int, int] | None = None


class View:
    """Takes the frame and the proprio vector out of what an environment returns.

    ValueError when the environment shows no picture: it says what to do.
    """

    def __init__(self, config: ViewConfig, env: gym.Env[Any, Any]) -> None:
        self.config, self.env = config, env
        space = env.observation_space
        self.key = None if config.render else _image_key(space, config.image)
        if config.render and env.render_mode != "rgb_array":
            raise ValueError(f"render=True needs render_mode='rgb_array', the environment has {env.render_mode!r}")
        self.vectors = _vector_keys(space)

    def frame(self, observation: Any) -> UInt8[np.ndarray, "H W 3"]:
        """The picture of this moment, resized with antialiasing where a size was asked for."""
        if self.config.render:
            picture = np.asarray(self.env.render())
        else:
            picture = np.asarray(observation[self.key] if self.key else observation)
        picture = as_rgb(picture)
        height, width = self.config.size or picture.shape[:2]
        if (height, width) == picture.shape[:2]:
            return picture
        return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))

    def proprio(self, observation: Any, info: Mapping[str, Any]) -> Float32[np.ndarray, " P"]:
        """The vectors of a Dict observation one after another, else info["proprio"], else nothing."""
        if self.vectors:
            return np.concatenate([np.ravel(observation[key]) for key in self.vectors]).astype(np.float32)
        return np.ravel(info.get("proprio", ())).astype(np.float32)


def state_of(info: Mapping[str, Any]) -> Float32[np.ndarray, " S"]:
    """The world state in an info, empty when there is none."""
    return np.ravel(info.get("state", ())).astype(np.float32)


def as_rgb(picture: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    """An (H, W), (H, W, 1), (H, W, 3), (1, H, W) or (3, H, W) uint8 picture as (H, W, 3)."""
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim == 3 and picture.shape[0] in (1, 3) and picture.shape[-1] not in (1, 3):
        picture = np.moveaxis(picture, 0, -1)
    if picture.ndim != 3 or picture.shape[-1] not in (1, 3) or picture.dtype != np.uint8:
        raise ValueError(f"a frame is an (H, W, 3) uint8 picture, got {picture.shape} {picture.dtype}")
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def _is_image(space: spaces.Space[Any]) -> bool:
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8:
        return False
    return len(space.shape) == 2 or (len(space.shape) == 3 and bool({space.shape[0], space.shape[-1]} & {1, 3}))


def _image_key(space: spaces.Space[Any], wanted: str | None) -> str | None:
    if isinstance(space, spaces.Dict):
        images = [key for key, part in space.items() if _is_image(part)]
        if wanted in images or (wanted is None and len(images) == 1):
            return wanted or images[0]
        if images:
            raise ValueError(f"pass image=KEY with one of {images}, got {wanted!r}")
    elif _is_image(space):
        return None
    raise ValueError(
        f"this environment shows no picture: its observation is {space}. "
        "Pass render=True (with render_mode='rgb_array') or wrap it, e.g. gymnasium.wrappers.AddRenderObservation"
    )


def _vector_keys(space: spaces.Space[Any]) -> list[str]:
    if not isinstance(space, spaces.Dict):
        return []
    return [k for k, part in space.items() if isinstance(part, spaces.Box) and not _is_image(part)]


# --- what an environment's episodes hold ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Declared:
    """What is said of an environment and not asked of it; None or empty: taken from its world, else by position."""

    action_names: tuple[str, ...] = ()
    domain: str | None = None
    frames_per_second: float | None = None
    reward: bool | None = None
    termination: bool | None = None
    codec: str = "ffv1"
    events: tuple[str, ...] = ()


def describe(env: gym.Env[Any, Any], view: View, declared: Declared, seed: int) -> DatasetSpec:
    """Reset the environment once and say what its episodes will hold. ValueError: no frames per second to be found."""
    observation, info = env.reset(seed=seed)
    world = getattr(getattr(env.unwrapped, "world", None), "spec", None)
    domain = declared.domain if declared.domain is not None else _domain(env, world)
    height, width, _ = view.frame(observation).shape
    return DatasetSpec(
        frames_per_second=declared.frames_per_second or _rate(env, world),
        size=(height, width),
        action=_names(declared.action_names or _ACTION_NAMES.get(domain, ()), flatdim(env.action_space), "action"),
        proprio=_names(getattr(world, "proprio", ()), view.proprio(observation, info).size, "proprio"),
        state=_names(_state_names(env), state_of(info).size, "state"),
        reward=getattr(world, "reward", True) if declared.reward is None else declared.reward,
        termination=getattr(world, "termination", True) if declared.termination is None else declared.termination,
        domain=domain,
        codec=declared.codec,
        low=_bounds(env.action_space, "low"),
        high=_bounds(env.action_space, "high"),
        events=_tellable(env, world, declared.events),
    )


def _tellable(env: gym.Env[Any, Any], world: Any, events: tuple[str, ...]) -> tuple[str, ...]:
    """`events`, all of which the environment must take. ValueError: it does not."""
    taken = getattr(world, "events", ()) if hasattr(env.unwrapped, "tell") else ()
    alien = [event for event in events if taken is not None and event not in taken]
    if alien:
        raise ValueError(f"this environment takes no event {alien[0]!r}, it takes {list(taken) or 'none'}")
    return events


def _bounds(space: spaces.Space[Any], end: str) -> tuple[float, ...]:
    """One end of a bounded Box, else nothing."""
    bounded = isinstance(space, spaces.Box) and space.is_bounded()
    return tuple(float(bound) for bound in np.ravel(getattr(space, end))) if bounded else ()


def _domain(env: gym.Env[Any, Any], world: Any) -> str:
    """The native control whose space is the action's, if the environment stands on a world."""
    controls: Mapping[str, Any] = getattr(world, "controls", {})
    return next((kind for kind, space in controls.items() if space == env.action_space), "")


def _rate(env: gym.Env[Any, Any], world: Any) -> float:
    rate = getattr(world, "frames_per_second", None) or env.metadata.get("render_fps")
    if not rate:
        raise ValueError("the environment tells no metadata['render_fps']: pass frames_per_second")
    return float(rate)


def _state_names(env: gym.Env[Any, Any]) -> tuple[str, ...]:
    """STATE_NAMES of the module that the environment's world comes from, where there is one."""
    world = getattr(env.unwrapped, "world", None)
    return tuple(getattr(sys.modules.get(type(world).__module__), "STATE_NAMES", ()))


def _names(names: tuple[str, ...], width: int, stem: str) -> tuple[str, ...]:
    return tuple(names) if len(names) == width else tuple(f"{stem}_{i}" for i in range(width))


# --- playing -------------------------------------------------------------------------------------------------------


def make_actor(policy: str, env: gym.Env[Any, Any], level: Mapping[str, Any]) -> Actor:
    """The policy "random", "wander", "replay", "driver" (a `wmsim.policy.ScriptedDriver`), "PATH.onnx" or
    "module:callable".

    A callable gets the environment and the level's settings and returns a `wmsim.policy.Policy`. ValueError: an unknown
    name, a level that the policy does not take, or a file trained in other spaces.
    """
    try:
        return _actor(policy, env, level)
    except TypeError as error:
        if not level:
            raise
        raise ValueError(f"the policy {policy!r} does not take the level {dict(level)}: {error}") from error


def _actor(policy: str, env: gym.Env[Any, Any], level: Mapping[str, Any]) -> Actor:
    kinds = importlib.import_module("wmsim.policy")
    if policy == "random":
        chosen = kinds.RandomPolicy(env.action_space, 1)
    elif policy == "wander":
        chosen = kinds.WanderPolicy(env.action_space, 1, **level)
    elif policy == "replay":
        if "data" not in level:
            raise ValueError('the policy "replay" needs a recording: give it the level {"data": FOLDER}')
        chosen = kinds.ReplayPolicy(env.action_space, 1, **level)
    elif policy == "driver":
        chosen = kinds.ScriptedDriver(kinds.DriverConfig(**level), 1)
    elif policy.endswith(".onnx"):
        chosen = kinds.OnnxPolicy(policy)
        chosen.check(env.observation_space, env.action_space)
    else:
        chosen = _factory(policy)(env, **level)
    actor: Actor = kinds.Executor(chosen, 1)
    return actor


def _factory(policy: str) -> Callable[..., Any]:
    usual = "'random', 'wander', 'replay', 'driver', 'PATH.onnx' or 'module:callable'"
    factory: Callable[..., Any] = named(policy, usual)
    if not callable(factory):
        raise ValueError(f"policy {policy!r} is a {type(factory).__name__}: name {usual}")
    return factory


def play(
    env: gym.Env[Any, Any],
    view: View,
    actor: Actor,
    spec: DatasetSpec,
    seed: int,
    max_steps: int,
    task: str = "",
    notes: Mapping[str, Any] | None = None,
    teller: Teller | None = None,
) -> Episode:
    """One episode from env.reset(seed=seed) to its end or `max_steps`; teller: who tells events of spec.events."""
    observation, info = env.reset(seed=seed)
    actor.reset([0], [seed])
    seen = [(view.frame(observation), view.proprio(observation, info), state_of(info))]
    done: list[tuple[np.ndarray, float]] = []
    told: list[tuple[str, str]] = []
    terminated = truncated = False
    while not (terminated or truncated):
        action = _legal(env.action_space, actor.act(_batch(observation), _batch(dict(info)))[0])
        told.append((teller.next() if teller else None) or ("", ""))
        if told[-1][0]:
            env.unwrapped.tell(told[-1][0])  # type: ignore[attr-defined]
        observation, reward, terminated, truncated, info = env.step(action)
        seen.append((view.frame(observation), view.proprio(observation, info), state_of(info)))
        done.append((np.asarray(flatten(env.action_space, action), np.float32), float(reward)))
        truncated = bool(truncated) or len(done) >= max_steps
    return Episode(
        frames=np.stack([frame for frame, _, _ in seen]),
        action=np.stack([action for action, _ in done]).reshape(len(done), -1),
        reward=np.array([reward for _, reward in done], np.float32) if spec.reward else None,
        proprio=np.stack([vector for _, vector, _ in seen]) if spec.proprio else None,
        state=np.stack([state for _, _, state in seen]) if spec.state else None,
        terminated=bool(terminated) if spec.termination else None,
        truncated=bool(truncated) and not terminated,
        seed=seed,
        task=task,
        notes=dict(notes or {}),
        event=tuple(event for event, _ in told) if spec.events else None,
        caption=tuple(caption for _, caption in told) if spec.events else None,
    )


def _batch(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _batch(part) for key, part in value.items()}
    return np.asarray(value)[None]


def _legal(space: spaces.Space[Any], action: Any) -> Any:
    """The action that is both taken and written down: clipped to a Box, a plain int for a Discrete."""
    if isinstance(space, spaces.Box):
        return np.clip(np.asarray(action, space.dtype), space.low, space.high)
    return int(action) if isinstance(space, spaces.Discrete) else action
