"""Checks of a vector environment's steps: spaces, advance, obedience, seeds, batches, isolation, errors."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from wmsim.conformance.behaviour import changed_generators
from wmsim.conformance.envprobe import EnvProbe, array, flat, reset, rows_apart, run, step
from wmsim.conformance.suite import BrokenError, SkipError, expect

_MOVING = 0.25
_NEARER = 0.5


def spaces_and_dtypes(probe: EnvProbe) -> str:
    """Observations lie in the spaces, rewards and ends are (n,) numbers and flags, the autoreset mode is stated."""
    env, n = probe.env(), probe.config.slots
    expect(env.num_envs == n, f"asked for {n} environments, num_envs is {env.num_envs}")
    for what, single, batched in (
        ("observation", env.single_observation_space, env.observation_space),
        ("action", env.single_action_space, env.action_space),
    ):
        expect(batched == batch_space(single, n), f"{what}_space is not single_{what}_space batched {n} times")
    stated = isinstance(env.metadata.get("autoreset_mode"), AutoresetMode)
    expect(stated, "metadata['autoreset_mode'] is no AutoresetMode: state it, learners choose their bookkeeping by it")
    obs, infos = env.reset(seed=probe.config.seed)
    _check_obs(obs, env.observation_space, "reset")
    expect(isinstance(infos, dict), f"reset returned infos of {type(infos).__name__}: return a dict")
    obs, reward, terminated, truncated, infos = env.step(probe.actions(1)[0])
    _check_obs(obs, env.observation_space, "step")
    for name, flags in (("terminations", terminated), ("truncations", truncated)):
        good = array(flags).shape == (n,) and array(flags).dtype == bool
        expect(good, f"{name} are {array(flags).dtype} {array(flags).shape}: return bool ({n},)")
    good = array(reward).shape == (n,) and np.issubdtype(array(reward).dtype, np.floating)
    expect(good, f"rewards are {array(reward).dtype} {array(reward).shape}: return floats ({n},)")
    return f"{env.single_observation_space} under {env.single_action_space}"


def advances(probe: EnvProbe) -> str:
    """Steps change the observation."""
    beats = run(probe.env(), probe.config.seed, probe.actions(probe.config.frames))
    moved = [(a.obs[i] != b.obs[i]).any() for a, b in pairwise(beats) for i in range(len(a.obs))]
    share = float(np.mean(moved))
    fix = "feed each step's state into the next one"
    expect(share >= _MOVING, f"only {share:.0%} of the steps changed the observation: {fix}")
    return f"{share:.0%} of the steps changed the observation"


def seeding(probe: EnvProbe) -> str:
    """reset(seed=s) gives environment i the seed s + i: the same episode again, and whatever the batch's size."""
    n, seed, steps = probe.config.slots, probe.config.seed, probe.config.frames
    alike = [probe.pack([_row(probe, action, 0)] * n) for action in probe.actions(steps)]
    first = run(probe.env(), seed, alike)
    again = run(probe.env(), seed, alike)
    far = max(rows_apart(first, again, (i, i)) for i in range(n))
    expect(far <= probe.tolerance, f"the same seed gave another episode ({far:.3g} apart): derive all chance from it")
    others = sorted(rows_apart(first, first, (0, i)) for i in range(1, n))  # with few starts one may be drawn twice
    usual = others[len(others) // 2]
    expect(usual > probe.tolerance, "two environments show the same episode: seed each with its own number")
    bound = max(probe.tolerance, _NEARER * float(np.mean(others)))
    shifted = run(probe.env(), seed + 1, alike)
    expect(
        rows_apart(first, shifted, (1, 0)) <= bound,
        "seed s + 1 in slot 0 is not seed s in slot 1: seed slot i with s + i",
    )
    alone = run(probe.env(1), seed, [probe.pack([_row(probe, action, 0)]) for action in alike])
    expect(
        rows_apart(first, alone, (0, 0)) <= bound,
        "the number of environments changed an episode: keep it out of the seed",
    )
    return f"other seeds are {np.mean(others):.3g} apart, equal seeds {far:.3g}"


def obeys(probe: EnvProbe) -> str:
    """Other actions change the outcome by more than repeating the run does."""
    steps, seed = probe.config.frames, probe.config.seed
    own, swapped = probe.actions(steps), probe.actions(steps, shift=1)
    first, again, other = (run(probe.env(), seed, actions) for actions in (own, own, swapped))
    n = probe.config.slots
    by_action = float(np.mean([rows_apart(first, other, (i, i)) for i in range(n)]))
    by_chance = float(np.mean([rows_apart(first, again, (i, i)) for i in range(n)]))
    seen = f"shuffled actions change the observations by {by_action:.3g}, a repeat by {by_chance:.3g}"
    expect(by_action > max(by_chance, probe.tolerance), f"{seen}: let the actions reach the world")
    return seen


def batch_invariance(probe: EnvProbe) -> str:
    """n environments equal n single ones, up to the first end of an episode."""
    batch, seed = run(probe.env(), probe.config.seed, probe.actions(probe.config.frames)), probe.config.seed
    ends = [k for k, beat in enumerate(batch) if beat.over.any()]
    stop = ends[0] if ends else len(batch)
    far = 0.0
    for i in range(min(3, probe.config.slots)):
        alone = run(probe.env(1), seed + i, [probe.pack([_row(probe, a, i)]) for a in probe.actions(stop - 1)])
        far = max(far, rows_apart(batch[:stop], alone, (i, 0)))
    fix = "keep statistics and noise per slot, or state the tolerance"
    expect(far <= probe.tolerance, f"an environment in a batch is {far:.3g} from the same one alone: {fix}")
    return f"{far:.3g} apart over {stop} steps"


def slot_isolation(probe: EnvProbe) -> str:
    """When an episode ends, the other environments go on as if nothing had happened."""
    end = probe.first_end
    going = [i for i in range(probe.config.slots) if i not in end.rows]
    if not going:
        raise SkipError("all episodes ended in the same step: nothing went on")
    i, last = going[0], end.at + 1
    actions = [probe.pack([_row(probe, a, i)]) for a in probe.actions(last)]
    alone = run(probe.env(1, AutoresetMode.NEXT_STEP), probe.config.seed + i, actions)
    far = float(np.abs(end.beats[last].obs[i] - alone[last].obs[0]).mean())
    other = float(np.abs(end.beats[last].obs[i] - end.beats[0].obs[i]).mean())
    fix = "reset only the environments whose episode ended (restarting all glues two episodes in the buffer)"
    bound = max(probe.tolerance, _NEARER * other)
    expect(far <= bound, f"environment {i} jumped by {far:.3g} when {end.rows} ended: {fix}")
    return f"environment {i} is {far:.3g} from the same one alone after {end.rows} ended"


def observations_are_kept(probe: EnvProbe) -> str:
    """Observations handed out stay as they were."""
    env, n = probe.env(), probe.config.slots
    obs, _ = env.reset(seed=probe.config.seed)
    held = [(obs, flat(obs, n))]
    for action in probe.actions(4):
        obs = env.step(action)[0]
        held.append((obs, flat(obs, n)))
    kept = all((flat(now, n) == then).all() for now, then in held)
    expect(kept, "an earlier step's observation was overwritten: return fresh arrays, not one buffer")
    return f"{len(held)} observations unchanged"


def no_silent_reward(probe: EnvProbe) -> str:
    """The reward is not the same 0 for ever."""
    beats = list(_until_end(probe))
    rewards = np.concatenate([beat.reward for beat in beats[1:]])
    silent = not rewards.any() and not probe.config.sparse_reward
    fix = "train the reward, or pass sparse_reward=True if zeros are right"
    expect(not silent, f"the reward was 0 in all {len(rewards)} steps: {fix}")
    return f"{rewards.min():.3g} to {rewards.max():.3g} in {len(rewards)} steps"


def global_rng_untouched(probe: EnvProbe) -> str:
    """Python's, numpy's and torch's global generators are neither seeded nor drawn from."""
    env, actions = probe.env(), probe.actions(3)
    changed = changed_generators(lambda: run(env, probe.config.seed, actions))
    expect(not changed, f"the global generator of {changed} was changed: use a generator of the environment's own")
    return "random, numpy and torch as before"


def bad_input(probe: EnvProbe) -> str:
    """A step before the reset, too few actions and actions that are no numbers raise an error."""
    fresh = probe.factory(2, probe.mode)
    try:
        two = probe.actions(1, 2)[0]
        _must_refuse("a step before reset", lambda: fresh.step(two))
        fresh.reset(seed=probe.config.seed)
        _must_refuse("one action for two environments", lambda: fresh.step(probe.actions(1, 1)[0]))
        cases = 2
        if isinstance(fresh.single_action_space, spaces.Box):
            _must_refuse("an action that is not a number", lambda: fresh.step(np.full_like(two, np.nan)))
            cases += 1
    finally:
        fresh.close()
    return f"{cases} kinds of nonsense refused"


# --- parts -----------------------------------------------------------------------------------------------------------


def _check_obs(obs: Any, space: spaces.Space[Any], what: str) -> None:
    host = {name: array(part) for name, part in obs.items()} if isinstance(obs, dict) else array(obs)
    inside = isinstance(obs, tuple) or host in space
    expect(inside, f"the observation of {what} does not lie in {space}: mend its shape, dtype or range")


def _row(probe: EnvProbe, actions: Any, i: int) -> Any:
    if isinstance(actions, dict):
        return {name: _row(probe, part, i) for name, part in actions.items()}
    return tuple(_row(probe, part, i) for part in actions) if isinstance(actions, tuple) else actions[i]


def _until_end(probe: EnvProbe) -> tuple[Any, ...]:
    try:
        return probe.first_end.beats
    except SkipError:
        env = probe.env()
        return (reset(env, probe.config.seed), *(step(env, a) for a in probe.actions(probe.config.frames)))


def _must_refuse(what: str, call: Callable[[], Any]) -> None:
    try:
        call()
    except Exception:
        return
    raise BrokenError(f"{what} was taken without a word: raise an error that says what is wrong")
