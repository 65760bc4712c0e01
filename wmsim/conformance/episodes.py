"""Checks of whole episodes: ends, missing heads, the horizon, memory, and what a late step costs."""

from __future__ import annotations

import pickle
import statistics
import time
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from wmsim.conformance.probe import WorldProbe, apart, ended, go_on, neutral, run, script
from wmsim.conformance.starts import lived_start, takes
from wmsim.conformance.suite import BrokenError, SkipError, expect
from wmsim.control import Control, keys_look_to_camera
from wmsim.world import Step, World

_ENOUGH_ENDS = 6
_ENOUGH_EPISODES = 3
_GO_ON = "go on (roll the cache), or declare the horizon in the spec"
_PAIRS, _TRIES, _SEEDS = 20, 3, 20
_SLOWER, _SLACK_SECONDS = 1.5, 3e-4
_LARGER, _SLACK_BYTES = 1.1, 1024


def termination_in_chunk(probe: WorldProbe) -> str:
    """An end is reported in its own frame of a chunk; from it on terminated stays, frames repeat, rewards are 0."""
    if not probe.spec.termination:
        raise SkipError("spec.termination is False")
    ends = probe.trial.ends
    if not ends:
        raise SkipError("no episode ended in the trial: nothing to look at")
    at = [_first_end(end.step, end.row) for end in ends]
    for end, k in zip(ends, at, strict=True):
        _check_masked(_row(end.step, end.row), k, "inside a chunk")
        last = {name: shown[end.row, -1] for name, shown in end.step.frames.items()}
        _check_masked(_row(end.after, end.row), -1, "in the steps after it", last)
    if probe.spec.frames_per_step > 1 and len(at) >= _ENOUGH_ENDS and len(set(at)) == 1:
        fix = "report the frame in which it happens"
        raise BrokenError(f"all {len(at)} ends fall on frame {at[0]} of their chunk: {fix}")
    return f"{len(at)} ends, in frames {sorted(set(at))} of their chunks; nothing moves or pays after them"


def no_silent_reward(probe: WorldProbe) -> str:
    """A reward is predicted, or the spec says that it is not; it is never a zero that stands for nothing."""
    given = {step.reward is not None for step in probe.trial.steps}
    _check_head("reward", probe.spec.reward, given)
    if not probe.spec.reward:
        return "declared absent"
    rewards = torch.cat([s.reward.reshape(-1) for s in probe.trial.steps if s.reward is not None])
    fix = "train the head, declare reward=False, or pass sparse_reward=True if zeros are right"
    silent = not bool(rewards.any()) and not probe.config.sparse_reward
    expect(not silent, f"the reward was 0 in all {len(rewards)} frames of the trial: {fix}")
    return f"{float(rewards.min()):.2f} to {float(rewards.max()):.2f} in {len(rewards)} frames"


def no_silent_termination(probe: WorldProbe) -> str:
    """An end is predicted, or the spec says that it is not; it is never a False that stands for nothing."""
    given = {step.terminated is not None for step in probe.trial.steps}
    _check_head("termination", probe.spec.termination, given)
    if not probe.spec.termination:
        return "declared absent"
    return f"{sum(len(ended(step)) for step in probe.trial.steps)} episodes ended in the trial"


def horizon(probe: WorldProbe) -> str:
    """Episodes last as long as the spec says: unlimited ones go on, a limited one refuses to go past its end."""
    if probe.spec.horizon is None:
        return _endless(probe)
    frames, world = probe.spec.horizon, probe.world(2)
    world.reset([0, 1], probe.seeds(2))
    middle = neutral(probe.spec, 2, world.device)
    for k in range(frames // probe.spec.frames_per_step):
        try:
            world.step([0, 1], middle)
        except Exception as problem:
            raise BrokenError(
                f"step {k + 1} raised before the horizon of {frames} frames ({problem}): {_GO_ON}"
            ) from problem
    try:
        world.step([0, 1], middle)
    except ValueError:
        return f"{frames} frames, then a ValueError"
    raise BrokenError(
        f"a step past the declared horizon of {frames} frames was taken: raise ValueError, or declare None"
    )


def memory(probe: WorldProbe) -> str:
    """The declared memory holds: a window reaches back as far as it says, a state or map shows what was left behind."""
    spec = probe.spec
    if spec.memory == "window":
        expect(bool(spec.context and spec.context > 0), "memory is 'window': state its frames in spec.context")
        return _window(probe, int(spec.context or 0))
    expect(spec.context is None, f"memory is {spec.memory!r}: spec.context is for 'window' only, it is {spec.context}")
    if spec.memory == "none":
        return "no memory declared"
    return _return(probe)


def cost_flat(probe: WorldProbe) -> str:
    """A step late in an episode costs no more than an early one, and the state does not grow."""
    if probe.spec.horizon is not None:
        raise SkipError(f"a horizon of {probe.spec.horizon} frames bounds what an episode can cost")
    aged = probe.aged
    if aged.frames < probe.config.long_frames:
        raise SkipError(f"the longest episode lasted {aged.frames} frames: too short to tell")
    world, young = aged.world, (aged.slot + 1) % 2
    one = neutral(probe.spec, 1, world.device)
    _rejuvenate(probe, world, young, one)
    sizes = [len(pickle.dumps(world.snapshot([slot]))) for slot in (aged.slot, young)]
    grown = probe.spec.memory != "map" and sizes[0] > _LARGER * sizes[1] + _SLACK_BYTES
    fix = "drop what the memory no longer holds (roll the cache instead of appending)"
    expect(not grown, f"the state grew from {sizes[1]:,} to {sizes[0]:,} bytes in {aged.frames} frames: {fix}")
    slow, tries = True, 0
    while slow and tries < _TRIES:
        _rejuvenate(probe, world, young, one)
        late, early = _race(world, aged.slot, young, one)
        slow, tries = late > _SLOWER * early + _SLACK_SECONDS, tries + 1
    seen = f"{early * 1e3:.2f} ms early, {late * 1e3:.2f} ms after {aged.frames} frames"
    expect(not slow, f"a step costs {seen}: let no loop or cache grow with the episode")
    return f"{seen}; state {sizes[1]:,} and {sizes[0]:,} bytes"


# --- ends and heads --------------------------------------------------------------------------------------------------


def _first_end(step: Step, row: int) -> int:
    assert step.terminated is not None
    return int(step.terminated[row].int().argmax())


def _row(step: Step, row: int) -> Step:
    """One row of a step, without its leading axis."""
    numbers = {name: getattr(step, name) for name in ("reward", "terminated")}
    picked: dict[str, Any] = {name: None if value is None else value[row] for name, value in numbers.items()}
    return Step({name: shown[row] for name, shown in step.frames.items()}, **picked)


def _check_masked(step: Step, k: int, where: str, last: dict[str, Tensor] | None = None) -> None:
    """After frame `k` of a row's step nothing happens; k is -1 when the end lies before it, `last` shows it then."""
    stays = step.terminated is not None and bool(step.terminated[max(k, 0) :].all())
    expect(stays, f"terminated turned false again {where}: keep it true until the reset")
    for name, shown in step.frames.items():
        still = bool((shown[max(k, 0) :] == (shown[k] if last is None else last[name])).all())
        expect(still, f"frames go on after the end {where}: repeat the last one")
    paid = step.reward is not None and bool(step.reward[k + 1 :].any())
    expect(not paid, f"rewards go on after the end {where}: set them to 0")


def _check_head(name: str, declared: bool, given: set[bool]) -> None:
    if declared:
        expect(given == {True}, f"spec.{name} is True and a step gave None: predict it or declare {name}=False")
    else:
        expect(
            given == {False}, f"spec.{name} is False and a step gave one: return None, not zeros that look like news"
        )


# --- long episodes ---------------------------------------------------------------------------------------------------


def _endless(probe: WorldProbe) -> str:
    try:
        aged = probe.aged
    except Exception as problem:
        raise BrokenError(f"an unlimited episode could not go on ({problem}): {_GO_ON}") from problem
    lengths = set(aged.lengths)
    alike = len(aged.lengths) >= _ENOUGH_EPISODES and len(lengths) == 1
    expect(
        not alike, f"all {len(aged.lengths)} episodes ended after {lengths} frames: declare this horizon in the spec"
    )
    return f"unlimited; the longest of this run lasted {max([aged.frames, *lengths])} frames"


def _rejuvenate(probe: WorldProbe, world: World, slot: int, control: Control) -> None:
    """Begin anew and fill the window, so that only what grows beyond it tells old from young.

    Seeds whose episode ends in that time are passed over: a slot that has ended rests, which costs nothing.
    """
    filling = [control] * max(1, (probe.spec.context or 16) // probe.spec.frames_per_step)
    for seed in range(probe.config.seed + 5, probe.config.seed + 5 + _SEEDS):
        world.reset([slot], [seed])
        if not any(_over(step) for step in go_on(world, [slot], filling)):
            return
    raise SkipError(f"{_SEEDS} episodes in turn ended within {len(filling)} steps: too short to tell")


def _over(step: Step) -> bool:
    return step.terminated is not None and bool(step.terminated.any())


def _race(world: World, old: int, young: int, control: Control) -> tuple[float, float]:
    """Seconds of a step of each slot, taken in turns under the same load; the lower quartile, as load only adds.

    A slot that ends is put back to where it was: resting is not what is timed.
    """
    seconds: dict[int, list[float]] = {old: [], young: []}
    before = {slot: world.snapshot([slot]) for slot in seconds}
    for _ in range(_PAIRS):
        for slot in (old, young):
            began = time.perf_counter()
            step = world.step([slot], control)
            for shown in step.frames.values():
                shown.cpu()
            seconds[slot].append(time.perf_counter() - began)
            if _over(step):
                world.restore([slot], before[slot])
    late, early = (statistics.quantiles(seconds[slot], n=4)[0] for slot in (old, young))
    return late, early


# --- memory ----------------------------------------------------------------------------------------------------------


def _window(probe: WorldProbe, context: int) -> str:
    """Two starts that differ only in the older half of the window must go on differently."""
    world, n = probe.world(probe.config.slots), probe.config.slots
    start, older = lived_start(probe, context), max(1, context // 2)
    if not takes(world, probe.seeds(n), start):
        raise SkipError(f"declared as {context} frames; no start of {context} frames is taken")
    changed = {name: shown.clone() for name, shown in start.frames.items()}
    for shown in changed.values():
        shown[:, :older] = 255 - shown[:, :older]
    after, starts = script(probe.spec, n, probe.steps, 13, world.device), (start, replace(start, frames=changed))
    one, two = (run(world, range(n), probe.seeds(n), after, begun)[1:] for begun in starts)
    fix = "let the world read its whole context, or declare what it reads"
    expect(apart(one, two) > 0, f"the older {older} of {context} start frames change nothing that follows: {fix}")
    return f"the older half of {context} frames moves what follows by {apart(one, two):.2f} grey levels"


def _return(probe: WorldProbe) -> str:
    """Turn or walk away and come back the same way: the view must come back too."""
    world, n = probe.world(probe.config.slots), probe.config.slots
    ways = _there_and_back(probe, n, world.device)
    if ways is None:
        return _brought_back(probe)
    there, back = ways
    sequel = run(world, range(n), probe.seeds(n), [there] * probe.steps + [back] * probe.steps)
    if any(ended(step) for step in sequel):
        raise SkipError("an episode ended on the way back: nothing to compare")
    first, middle, last = ([_newest(sequel[k])] for k in (0, probe.steps, -1))
    away, returned = apart(first, middle), apart(first, last)
    fix = "keep what was seen (state or map), or declare the memory that there is"
    expect(returned < 0.5 * away, f"{returned:.1f} grey levels off on return, {away:.1f} at the far end: {fix}")
    return f"back to {returned:.2f} grey levels of the first view, {away:.1f} away at the far end"


def _brought_back(probe: WorldProbe) -> str:
    """No control leads back: live other episodes in the same slots, then come back by the snapshot."""
    world, n = probe.world(probe.config.slots), probe.config.slots
    before, after = (script(probe.spec, n, probe.steps, seed, world.device) for seed in (14, 15))
    run(world, range(n), probe.seeds(n), before)
    state = world.snapshot(range(n))
    first = go_on(world, range(n), after)
    run(world, range(n), probe.seeds(n, 300), before + after)
    world.restore(range(n), state)
    far = apart(first, go_on(world, range(n), after))
    fix = "keep the memory of an episode with its state, not in a place that the next one overwrites"
    expect(far == 0, f"brought back after another episode, the slots went on {far:.2f} grey levels off: {fix}")
    return "no control leads back; brought back by their snapshot after other episodes, the slots went on to the bit"


def _newest(step: Step) -> Step:
    return Step({name: shown[:, -1:] for name, shown in step.frames.items()})


def _there_and_back(probe: WorldProbe, n: int, device: torch.device) -> tuple[Control, Control] | None:
    kinds, frames = probe.spec.controls, probe.spec.frames_per_step
    rest = neutral(probe.spec, n, device)
    turn = torch.zeros(n, frames, 2, device=device)
    turn[..., 0] = 0.08
    if "look" in kinds:
        return replace(rest, look=turn), replace(rest, look=-turn)
    if "camera" in kinds:
        still = torch.zeros(n, frames, 4, dtype=torch.bool, device=device)
        away, home = (keys_look_to_camera(still, look) for look in (turn, -turn))
        return replace(rest, camera=away), replace(rest, camera=home)
    if "buttons" in kinds:
        keys = torch.eye(4, dtype=torch.bool, device=device)
        forward, backward = (keys[i].expand(n, frames, 4).clone() for i in (0, 2))
        return replace(rest, buttons=forward), replace(rest, buttons=backward)
    return None
