"""What can be checked, by object or by name: worlds, vector environments, Gymnasium ids, checkpoints, import paths."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import AutoresetMode, VectorEnv

from wmsim.conformance import autoreset, behaviour, envs, episodes, isolation
from wmsim.conformance.envprobe import EnvProbe, Factory
from wmsim.conformance.probe import CheckConfig, WorldProbe
from wmsim.conformance.report import Report
from wmsim.conformance.suite import Check, run_checks
from wmsim.named import named
from wmsim.world import World

WORLD_CHECKS: tuple[Check[WorldProbe], ...] = (
    Check(behaviour.spaces_and_dtypes),
    Check(behaviour.advances),
    Check(isolation.seeding),
    Check(isolation.row_order, ("seeding",)),
    Check(isolation.slot_isolation, ("seeding",)),
    Check(isolation.batch_invariance, ("seeding",)),
    Check(isolation.snapshot_restore),
    Check(behaviour.obeys, ("advances", "seeding")),
    Check(episodes.horizon, ("seeding",)),
    Check(episodes.termination_in_chunk, ("horizon",)),
    Check(episodes.no_silent_reward, ("horizon",)),
    Check(episodes.no_silent_termination, ("horizon",)),
    Check(episodes.memory, ("advances", "seeding", "snapshot_restore")),
    Check(episodes.cost_flat, ("horizon",)),
    Check(behaviour.frames_are_kept),
    Check(behaviour.global_rng_untouched),
    Check(behaviour.bad_input),
)

_SEEDED = ("seeding",)
_DEFAULT = CheckConfig()

ENV_CHECKS: tuple[Check[EnvProbe], ...] = (
    Check(envs.spaces_and_dtypes),
    Check(envs.advances),
    Check(envs.seeding),
    Check(envs.obeys, ("advances", "seeding")),
    Check(envs.batch_invariance, _SEEDED),
    Check(autoreset.autoreset_next_step, ("advances", "seeding")),
    Check(envs.slot_isolation, ("seeding", "batch_invariance", "autoreset_next_step")),
    Check(autoreset.autoreset_disabled, ("seeding", "autoreset_next_step")),
    Check(autoreset.autoreset_same_step, ("seeding", "autoreset_next_step")),
    Check(autoreset.final_observation, ("seeding", "autoreset_next_step")),
    Check(envs.no_silent_reward),
    Check(envs.observations_are_kept),
    Check(envs.global_rng_untouched),
    Check(envs.bad_input),
)


def check_world(factory: Callable[[int], World], config: CheckConfig = _DEFAULT, name: str = "") -> Report:
    """Every check of the contract on the worlds that `factory` makes for a number of slots."""
    probe = WorldProbe(factory, config)
    try:
        subject = f"world {probe.spec.name!r}"
        return Report(name or subject, run_checks(WORLD_CHECKS, probe))
    finally:
        probe.close()


def check_env(target: str | Factory, config: CheckConfig = _DEFAULT, name: str = "", **settings: Any) -> Report:
    """Every check of a vector environment: a Gymnasium id, or a factory (num_envs, autoreset mode) -> VectorEnv.

    `settings` go to `gymnasium.make_vec`; ids without a vector environment that takes `autoreset_mode` are run by
    `SyncVectorEnv`, unless `vectorization_mode` is set. ValueError: an id not registered, an environment not made.
    """
    factory = _of_id(target, settings) if isinstance(target, str) else target
    probe = EnvProbe(factory, config)
    try:
        subject = repr(probe.env(mode=probe.mode))
        return Report(name or (target if isinstance(target, str) else subject), run_checks(ENV_CHECKS, probe))
    finally:
        probe.close()


def check(target: str, config: CheckConfig = _DEFAULT, **settings: Any) -> Report:
    """What `wmsim check TARGET` runs. target: a Gymnasium id, a checkpoint's path, "module:factory" of a World, or a
    pool's ray://NAME.

    An id of ours is checked twice, as an environment and as the world under it. ValueError: the target is none of them.
    """
    if target.startswith("ray://"):
        return check_world(lambda slots: _served(target, slots, settings), config, target)
    if Path(target).is_file():
        return check_world(lambda slots: _dream(target, slots, settings), config, target)
    if _registered(target):
        report = check_env(target, config, **settings)
        factory = _world_under(target, settings)
        if factory is None:
            return report
        under = check_world(factory, config)
        return Report(f"{target}, environment and world", report.results + under.results)
    made = _imported(target)
    return check_world(lambda slots: made(slots, **settings), config, target)


# --- names -----------------------------------------------------------------------------------------------------------


def _registered(target: str) -> bool:
    module, _, rest = target.rpartition(":")
    if module and rest not in gymnasium.registry:
        try:
            importlib.import_module(module)
        except ImportError:
            return False
    return rest in gymnasium.registry


def _of_id(target: str, settings: dict[str, Any]) -> Factory:
    if not _registered(target):
        raise ValueError(f"{target!r} is no registered Gymnasium id: write module:id to import what registers it")
    given = "vectorization_mode" in settings
    native = _takes_mode(gymnasium.spec(target.rpartition(":")[2]))
    sync: dict[str, Any] = {"vectorization_mode": "sync"}

    def make(count: int, mode: AutoresetMode) -> VectorEnv[Any, Any, Any]:
        if given:
            return gymnasium.make_vec(target, num_envs=count, **settings)
        if native:
            return gymnasium.make_vec(target, num_envs=count, autoreset_mode=mode, **settings)
        return gymnasium.make_vec(target, num_envs=count, vector_kwargs={"autoreset_mode": mode}, **sync, **settings)

    return make


def _takes_mode(spec: EnvSpec) -> bool:
    """Whether the id has a vector environment of its own that can be told its autoreset mode."""
    entry = spec.vector_entry_point
    if entry is None:
        return False
    made = load_env_creator(entry) if isinstance(entry, str) else entry
    return "autoreset_mode" in inspect.signature(made).parameters


def _world_under(target: str, settings: dict[str, Any]) -> Callable[[int], World] | None:
    """Makes the world below an environment of ours; None for other environments."""
    from wmsim.env import WorldVectorEnv

    if gymnasium.spec(target.rpartition(":")[2]).vector_entry_point != "wmsim.env:WorldVectorEnv":
        return None

    def make(slots: int) -> World:
        env = gymnasium.make_vec(target, num_envs=slots, **settings).unwrapped
        assert isinstance(env, WorldVectorEnv)
        env.closed = True
        return env.world

    return make


def _dream(path: str, slots: int, settings: dict[str, Any]) -> World:
    from wmsim import dream

    return dream.load(path, slots=slots, **settings)


def _served(address: str, slots: int, settings: dict[str, Any]) -> World:
    from wmsim.serve.client import RemoteWorld

    return RemoteWorld(address, slots, **settings)


def _imported(target: str) -> Callable[..., World]:
    what = "a Gymnasium id, the path of a checkpoint, or module:factory"
    made = named(target, what) if ":" in target else None
    if not callable(made):
        raise ValueError(f"{target!r} is nothing that can be checked: pass {what}")
    factory: Callable[..., World] = made
    return factory
