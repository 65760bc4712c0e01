"""check_env and check: sound environments pass, each broken one fails exactly its own check, names are found."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import broken_worlds as broken
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from rich.console import Console

import wmsim  # noqa: F401
from wmsim import conformance
from wmsim.conformance import ENV_CHECKS, WORLD_CHECKS, CheckConfig, check, check_env
from wmsim.env import WorldVectorEnv
from wmsim.env.episodes import observe

QUICK = CheckConfig(slots=3, frames=8, long_frames=200)
SMALL = {"task": "toy", "size": broken.SIZE}
NEXT, SAME, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED


class Env(WorldVectorEnv):
    """A sound environment, made as the checks ask for it."""

    world_class: type[Any] | None = None
    settings: dict[str, Any] = {}

    def __init__(self, count: int, mode: AutoresetMode) -> None:
        settings: dict[str, Any] = {**SMALL, "autoreset_mode": mode, **self.settings}
        if self.world_class is not None:
            settings.update(world=self.world_class(count), size=None)
        super().__init__(count, **settings)


class Unstated(Env):
    """Does not say how it resets."""

    def __init__(self, count: int, mode: AutoresetMode) -> None:
        super().__init__(count, mode)
        self.metadata = {"render_modes": []}


class FloatFrames(Env):
    """Shows floats, promises bytes."""

    def step(self, actions: Any) -> Any:
        obs, *rest = super().step(actions)
        return (obs.astype(np.float32), *rest)


class FrozenEnv(Env):
    world_class = broken.Frozen
    settings = {"max_episode_steps": 20}


class OneSeed(Env):
    """Every slot gets the same seed."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return super().reset(seed=seed if seed is None else [seed] * self.num_envs, options=options)


class Unseeded(Env):
    """Ignores the seed of a reset."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return super().reset(seed=int(np.random.default_rng().integers(10**6)), options=options)


class DeafEnv(Env):
    world_class = broken.Deaf


class BatchNormEnv(Env):
    world_class = broken.BatchNorm


class RestartsAllEnv(Env):
    """When one episode ends all begin anew, and only the one is reported (RLinf#1516)."""

    def step(self, actions: Any) -> Any:
        obs, reward, terminated, truncated, infos = super().step(actions)
        others = np.flatnonzero(~(terminated | truncated)).tolist()
        if len(others) < self.num_envs and self.autoreset_mode == NEXT and others:
            self._episodes.begin(others)
            obs = observe(self._episodes)
        return obs, reward, terminated, truncated, infos


class EagerReset(Env):
    """Says NEXT_STEP and resets within the step (what RLlib never notices)."""

    def _next_step(self, actions: Any, going: Any) -> Any:
        return self._same_step(actions)


class LazySameStep(Env):
    """In SAME_STEP mode the ending step shows the end."""

    def _same_step(self, actions: Any) -> Any:
        obs, reward, terminated, truncated, infos = super()._same_step(actions)
        if self.autoreset_mode == SAME and "final_obs" in infos:
            obs = obs.copy()
            for i in np.flatnonzero(infos["_final_obs"]):
                obs[i] = infos["final_obs"][i]
        return obs, reward, terminated, truncated, infos


class NewFinalObs(Env):
    """final_obs is the new episode's first observation."""

    def _same_step(self, actions: Any) -> Any:
        obs, reward, terminated, truncated, infos = super()._same_step(actions)
        for i in np.flatnonzero(infos.get("_final_obs", [])):
            infos["final_obs"][i] = obs[i]
        return obs, reward, terminated, truncated, infos


class NoFinalInfo(Env):
    def _same_step(self, actions: Any) -> Any:
        *rest, infos = super()._same_step(actions)
        return (*rest, {name: value for name, value in infos.items() if "final_info" not in name})


class NewFinalInfo(Env):
    """final_info is the new episode's."""

    def _same_step(self, actions: Any) -> Any:
        *rest, infos = super()._same_step(actions)
        if "final_info" in infos:
            infos["final_info"]["proprio"] = infos["proprio"]
        return (*rest, infos)


class IgnoresMask(Env):
    """A reset with a mask resets all."""

    def _masked(self, options: Any) -> Any:
        super()._masked(options)
        return self._all


class ResetsAlone(Env):
    """Begins the next episode by itself although resetting is disabled."""

    def step(self, actions: Any) -> Any:
        if self.autoreset_mode == DISABLED and (over := np.flatnonzero(~self._episodes.running).tolist()):
            self._episodes.begin(over)
            zeros = np.zeros(self.num_envs)
            return observe(self._episodes), zeros, zeros.astype(bool), zeros.astype(bool), {}
        return super().step(actions)


class NoReward(Env):
    settings = {"reward": "none"}


class OneBuffer(Env):
    """Every step's observation is the same array."""

    buffer: np.ndarray | None = None

    def _into(self, obs: np.ndarray) -> np.ndarray:
        if self.buffer is None:
            self.buffer = obs.copy()
        np.copyto(self.buffer, obs)
        return self.buffer

    def reset(self, **kwargs: Any) -> Any:
        obs, infos = super().reset(**kwargs)
        return self._into(obs), infos

    def step(self, actions: Any) -> Any:
        obs, *rest = super().step(actions)
        return (self._into(obs), *rest)


class SeedsTorch(Env):
    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        torch.manual_seed(0)
        return super().reset(seed=seed, options=options)


class TakesNan(Env):
    def step(self, actions: Any) -> Any:
        return super().step(np.nan_to_num(actions))


class StretchesActions(Env):
    """One action for all is good enough."""

    def step(self, actions: Any) -> Any:
        return super().step(np.resize(actions, (self.num_envs, 2)))


BROKEN: list[tuple[type[Env], str, str]] = [
    (Unstated, "spaces_and_dtypes", "state it, learners choose their bookkeeping by it"),
    (FloatFrames, "spaces_and_dtypes", "the observation of step does not lie in"),
    (FrozenEnv, "advances", "feed each step's state into the next one"),
    (OneSeed, "seeding", "two environments show the same episode"),
    (Unseeded, "seeding", "the same seed gave another episode"),
    (DeafEnv, "obeys", "let the actions reach the world"),
    (BatchNormEnv, "batch_invariance", "state the tolerance"),
    (RestartsAllEnv, "slot_isolation", "reset only the environments whose episode ended"),
    (EagerReset, "autoreset_next_step", "declare SAME_STEP if the environment resets within the step"),
    (LazySameStep, "autoreset_same_step", "reset within the step"),
    (IgnoresMask, "autoreset_disabled", "changed an environment outside the mask"),
    (ResetsAlone, "autoreset_disabled", "reset itself in DISABLED mode"),
    (NewFinalObs, "final_observation", "copy the observation before resetting"),
    (NoFinalInfo, "final_observation", "infos lack 'final_info'"),
    (NewFinalInfo, "final_observation", r"final_info\['proprio'\] .* is not that of the last step"),
    (NoReward, "no_silent_reward", "the reward was 0 in all"),
    (OneBuffer, "observations_are_kept", "return fresh arrays"),
    (SeedsTorch, "global_rng_untouched", r"global generator of \['torch'\]"),
    (TakesNan, "bad_input", "an action that is not a number was taken"),
    (StretchesActions, "bad_input", "one action for two environments was taken"),
]


@pytest.mark.parametrize(("factory", "name", "message"), BROKEN, ids=lambda v: getattr(v, "__name__", None))
def test_each_broken_env_fails_its_own_check_alone(factory: Callable[..., Any], name: str, message: str) -> None:
    report = check_env(factory, QUICK)
    assert report.named("fail") == [name], {r.name: r.message for r in report.results if r.status == "fail"}
    with pytest.raises(conformance.ConformanceError, match=f"(?s){name}: .*({message})"):
        report.raise_for_failures()


def test_every_check_has_an_env_that_only_it_catches() -> None:
    assert {name for _, name, _ in BROKEN} == {check.name for check in ENV_CHECKS}


@pytest.mark.parametrize("settings", [{}, {"observation": "dict", "control": "keyboard"}, {"output": "torch"}])
def test_our_environment_passes(settings: dict[str, Any]) -> None:
    report = check_env("wmsim/Toy-v0", QUICK, size=broken.SIZE, **settings)
    report.raise_for_failures()
    assert not report.named("skip")


@pytest.mark.filterwarnings("ignore:.*gymnasium.*")
def test_a_foreign_environment_is_checked_by_its_id() -> None:
    report = check_env("CartPole-v1", CheckConfig(slots=3))
    report.raise_for_failures()
    assert not report.named("skip")


def test_an_env_of_one_mode_skips_the_others() -> None:
    def only_next(count: int, mode: AutoresetMode) -> Any:
        if mode != NEXT:
            raise ValueError("there is NEXT_STEP only")
        return Env(count, mode)

    report = check_env(only_next, QUICK)
    assert report.ok
    assert report.named("skip") == ["autoreset_disabled", "autoreset_same_step", "final_observation"]


def test_an_env_that_cannot_be_made_is_no_report() -> None:
    with pytest.raises(ValueError, match=r"could not be made in any autoreset mode.*joystick"):
        check_env("wmsim/Toy-v0", QUICK, control="joystick")


def test_an_env_without_ends_says_so() -> None:
    class Endless(Env):
        settings = {"termination": "none", "max_episode_steps": 10**6}

    report = check_env(Endless, CheckConfig(slots=3, frames=8, long_frames=16))
    assert report.ok
    reasons = {r.message for r in report.results if r.status == "skip"}
    assert reasons == {"no episode ended in 19 steps: pass a larger long_frames"}


def test_check_finds_ids_and_the_world_below() -> None:
    report = check("wmsim:wmsim/Toy-v0", QUICK, size=broken.SIZE)
    assert report.ok
    names = [r.name for r in report.results]
    assert names == [c.name for c in ENV_CHECKS] + [c.name for c in WORLD_CHECKS]


def test_check_finds_import_paths() -> None:
    assert check("broken_worlds:Walk", QUICK).ok
    assert check("wmsim.sims.toy:ToyWorld", QUICK, size=broken.SIZE, ride="walk").ok


def test_check_finds_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wmsim import dream

    path = tmp_path / "mine.safetensors"
    path.touch()
    asked = []

    def load(source: str, slots: int, **settings: Any) -> Any:
        asked.append((source, settings))
        return broken.WindowWorld(slots)

    monkeypatch.setattr(dream, "load", load)
    assert check(str(path), QUICK, steps=2).ok
    assert asked[0] == (str(path), {"steps": 2})


@pytest.mark.parametrize("target", ["Nothing-v9", "no_such_module:World", "wmsim.sims.toy:NoWorld", "gone.safetensors"])
def test_an_unknown_target_is_told(target: str) -> None:
    with pytest.raises(ValueError, match=r"nothing that can be checked|could not be imported"):
        check(target)
    with pytest.raises(ValueError, match="no registered Gymnasium id"):
        check_env("Nothing-v9")


def test_a_report_prints_as_a_table() -> None:
    out = StringIO()
    report = check_env(NoReward, QUICK, name="mine")
    report.print(Console(file=out, width=120))
    text = out.getvalue()
    assert "conformance of mine" in text
    assert "no_silent_reward" in text
    assert "13 passed, 1 failed, 0 skipped" in text
