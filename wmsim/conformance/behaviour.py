"""Checks of what a world shows and takes: spaces and types, that it advances and obeys, what it refuses."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from wmsim.conformance.probe import WorldProbe, apart, corners, pictures, run, script
from wmsim.conformance.starts import usual_start
from wmsim.conformance.suite import BrokenError, expect
from wmsim.control import Control
from wmsim.world import Snapshot, Step, World, WorldSpec

_MOVING = 0.25
_FIX = "raise a ValueError that says what is wrong"


def spaces_and_dtypes(probe: WorldProbe) -> str:
    """Frames, rewards, ends, proprio, uncertainty and info have the shapes, dtypes, device and ranges of the spec."""
    n, spec = probe.config.slots, probe.spec
    _check_spec(spec)
    world = probe.world(n)
    expect(world.slots == n, f"the factory was asked for {n} slots and made {world.slots}")
    sequel = run(world, range(n), probe.seeds(n), script(spec, n, 1, 0, world.device))
    for step, frames, what in zip(sequel, (spec.first_frames, spec.frames_per_step), ("reset", "step"), strict=True):
        _check_step(step, spec, n, frames, what, world.device)
    first = sequel[0]
    expect(first.reward is None or not bool(first.reward.any()), "a reset returns reward 0: it has earned nothing yet")
    expect(first.terminated is None or not bool(first.terminated.any()), "a reset begins an episode: it cannot be over")
    return ", ".join(f"{name} {shape}" for name, shape in spec.cameras.items())


def advances(probe: WorldProbe) -> str:
    """A fixed control sequence changes the frames, step after step."""
    n, world = probe.config.slots, probe.world(probe.config.slots)
    sequel = run(world, range(n), probe.seeds(n), script(probe.spec, n, probe.steps, 1, world.device))
    moved = [
        bool((pictures([a], row)[-_pixels(probe.spec) :] != pictures([b], row)[-_pixels(probe.spec) :]).any())
        for a, b in pairwise(sequel)
        for row in range(n)
    ]
    share = float(np.mean(moved))
    expect(share >= _MOVING, f"only {share:.0%} of the steps changed a pixel: feed each step's state into the next one")
    return f"{share:.0%} of the steps changed the frame"


def obeys(probe: WorldProbe) -> str:
    """Shuffled controls change the outcome by more than a change of seed does, from the same beginning."""
    n, world, spec = probe.config.slots, probe.world(probe.config.slots), probe.spec
    own, swapped = (corners(spec, n, probe.steps, world.device, shift) for shift in (0, 1))
    slots, seeds = range(n), probe.seeds(n)
    starts = usual_start(probe) if spec.stochastic else None
    first = run(world, slots, seeds, own, starts)
    by_control = apart(first, run(world, slots, seeds, swapped, starts))
    other_seeds = probe.seeds(n, 500) if starts is not None else seeds
    by_seed = apart(first, run(world, slots, other_seeds, own, starts))
    bound = max(by_seed, probe.tolerance)
    fix = "let the controls reach the dynamics (a network may take an action and not use it)"
    seen = f"shuffled controls change the frames by {by_control:.2f} grey levels, another seed by {by_seed:.2f}"
    expect(by_control > bound, f"{seen}: {fix}")
    return seen


def frames_are_kept(probe: WorldProbe) -> str:
    """Tensors handed out stay as they were; controls handed in are not written to."""
    n, world = probe.config.slots, probe.world(probe.config.slots)
    controls = script(probe.spec, n, probe.steps, 2, world.device)
    given = [[value.clone() for value in _tensors(control)] for control in controls]
    sequel, kept = [world.reset(range(n), probe.seeds(n))], []
    for control in controls:
        kept.append([value.clone() for value in _outputs(sequel[-1])])
        sequel.append(world.step(range(n), control))
    for step, copies in zip(sequel, kept, strict=False):
        unchanged = all(torch.equal(now, then) for now, then in zip(_outputs(step), copies, strict=True))
        expect(unchanged, "an earlier step's tensor was overwritten: return fresh tensors, not views of a buffer")
    for control, copies in zip(controls, given, strict=True):
        unchanged = all(torch.equal(now, then) for now, then in zip(_tensors(control), copies, strict=True))
        expect(unchanged, "the control passed to step was written to: work on a copy")
    return f"{len(kept)} steps unchanged"


def global_rng_untouched(probe: WorldProbe) -> str:
    """Python's, numpy's and torch's global generators are neither seeded nor drawn from."""
    n, world = probe.config.slots, probe.world(probe.config.slots)
    controls = script(probe.spec, n, 3, 3, world.device)
    for name, call in (
        ("reset", lambda: world.reset(range(n), probe.seeds(n))),
        ("step", lambda: [world.step(range(n), control) for control in controls]),
    ):
        changed = changed_generators(call)
        expect(not changed, f"{name} changed the global generator of {changed}: draw from one keyed by (seed, frame)")
    return "random, numpy and torch as before"


def bad_input(probe: WorldProbe) -> str:
    """Unknown slots, wrong seeds, wrong controls and foreign snapshots raise ValueError; the world goes on after it."""
    n, world, fresh = probe.config.slots, probe.world(probe.config.slots), probe.factory(1)
    good = script(probe.spec, n, 1, 4, world.device)[0]
    world.reset(range(n), probe.seeds(n))
    try:
        cases = _cases(world, fresh, good, probe)
        for what, call in cases.items():
            _must_refuse(what, call)
    finally:
        fresh.close()
    world.step(range(n), good)
    return f"{len(cases)} kinds of nonsense refused"


# --- parts -----------------------------------------------------------------------------------------------------------


def _check_spec(spec: WorldSpec) -> None:
    expect(bool(spec.cameras), "spec.cameras is empty: name at least one camera")
    expect(bool(spec.controls), "spec.controls is empty: name what the world takes")
    expect(spec.frames_per_second > 0, f"spec.frames_per_second is {spec.frames_per_second}: state the frame rate")
    whole = spec.frames_per_step >= 1 and spec.first_frames >= 1
    expect(whole, "spec.frames_per_step and first_frames are at least 1")
    for name, shape in spec.cameras.items():
        expect(len(shape) == 3 and shape[2] == 3, f"camera {name!r} has shape {shape}: state (H, W, 3)")


def _check_step(step: Step, spec: WorldSpec, n: int, frames: int, what: str, device: torch.device) -> None:
    expect(set(step.frames) == set(spec.cameras), f"{what} showed {list(step.frames)}, the spec {list(spec.cameras)}")
    for name, shape in spec.cameras.items():
        _check_tensor(step.frames[name], (n, frames, *shape), torch.uint8, f"{what}: frames[{name!r}]", device)
    for name, tensor, dtype in (
        ("reward", step.reward, torch.float32),
        ("terminated", step.terminated, torch.bool),
        ("uncertainty", step.uncertainty, torch.float32),
    ):
        if tensor is not None:
            _check_tensor(tensor, (n, frames), dtype, f"{what}: {name}", device)
    if step.reward is not None:
        expect(bool(torch.isfinite(step.reward).all()), f"{what}: a reward is not finite")
    _check_proprio(step, spec, (n, frames, len(spec.proprio)), what, device)
    given = step.uncertainty is not None
    expect(given == spec.uncertainty, f"{what}: spec.uncertainty is {spec.uncertainty}, given is {given}")
    if step.uncertainty is not None:
        expect(bool((step.uncertainty >= 0).all()), f"{what}: an uncertainty is below 0")
    for name, value in step.info.items():
        expect(len(value) == n, f"{what}: info[{name!r}] has {len(value)} rows for {n} slots")


def _check_proprio(step: Step, spec: WorldSpec, shape: tuple[int, ...], what: str, device: torch.device) -> None:
    if step.proprio is None:
        expect(not spec.proprio, f"{what}: spec.proprio names {spec.proprio}, the step gave None")
        return
    _check_tensor(step.proprio, shape, torch.float32, f"{what}: proprio", device)
    expect(bool(torch.isfinite(step.proprio).all()), f"{what}: a proprio is not finite")


def _check_tensor(
    tensor: torch.Tensor, shape: tuple[int, ...], dtype: torch.dtype, what: str, device: torch.device
) -> None:
    expect(isinstance(tensor, torch.Tensor), f"{what} is a {type(tensor).__name__}: return a tensor")
    expect(tuple(tensor.shape) == shape, f"{what} has shape {tuple(tensor.shape)}: the contract says {shape}")
    expect(tensor.dtype == dtype, f"{what} is {tensor.dtype}: the contract says {dtype}")
    expect(tensor.device.type == device.type, f"{what} lies on {tensor.device}: world.device says {device}")


def _pixels(spec: WorldSpec) -> int:
    """Values of the last frame of one camera: the last one, as `pictures` lays them out."""
    return int(np.prod(list(spec.cameras.values())[-1]))


def _tensors(control: Control) -> list[torch.Tensor]:
    return [v for v in (control.buttons, control.look, control.camera, control.robot) if v is not None]


def _outputs(step: Step) -> list[torch.Tensor]:
    numbers = (step.reward, step.terminated, step.proprio, step.uncertainty)
    return [*step.frames.values(), *(value for value in numbers if value is not None)]


def changed_generators(call: Callable[[], Any]) -> list[str]:
    """The libraries whose global generator `call` seeds or draws from; all are left as they were found.

    What has changed must change again in one of two more calls: what another thread draws is not the call's.
    """
    once = _changed(call)
    if not once:
        return once
    again = {*_changed(call), *_changed(call)}
    return [library for library in once if library in again]


def _changed(call: Callable[[], Any]) -> list[str]:
    found = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    # A draw first: seeding to the state that is already there would not show.
    random.random(), np.random.random(), torch.rand(())  # noqa: NPY002
    before = _global_states()
    try:
        call()
        return [library for library, state in _global_states().items() if state != before[library]]
    finally:
        random.setstate(found[0])
        np.random.set_state(found[1])  # noqa: NPY002
        torch.set_rng_state(found[2])


def _global_states() -> dict[str, Any]:
    """The states of the global generators, comparable with ==."""
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002  the global state is what is looked at
    states: dict[str, Any] = {"random": random.getstate(), "numpy": (kind, np.asarray(keys).tobytes(), *rest)}
    states["torch"] = bytes(torch.get_rng_state().numpy())
    if torch.cuda.is_available():
        states["torch.cuda"] = bytes(torch.cuda.get_rng_state().numpy())
    return states


def _cases(world: World, fresh: World, good: Control, probe: WorldProbe) -> dict[str, Callable[[], Any]]:
    n, seeds = probe.config.slots, probe.seeds(probe.config.slots)
    everyone = range(n)
    state = world.snapshot([0])
    longer: dict[str, Any] = {k: torch.cat([v, v], 1) for k, v in _named(good).items()}
    doubled: dict[str, Any] = {k: torch.cat([v, v], -1) for k, v in _named(good).items() if k in ("buttons", "robot")}
    floats: dict[str, Any] = {
        k: torch.full_like(v, torch.nan) for k, v in _named(good).items() if v.is_floating_point()
    }
    cases: dict[str, Callable[[], Any]] = {
        "reset of slot -1": lambda: world.reset([-1], [0]),
        f"reset of slot {n}": lambda: world.reset([n], [0]),
        "step of an unknown slot": lambda: world.step([n], good.select([0])),
        "a slot named twice": lambda: world.step([0, 0], good.select([0, 0])),
        "no slot": lambda: world.reset([], []),
        "too few seeds": lambda: world.reset(everyone, seeds[:-1]),
        "a negative seed": lambda: world.reset([0], [-1]),
        "controls for fewer slots than named": lambda: world.step(everyone, good.select(range(n - 1))),
        "controls for twice the frames": lambda: world.step(everyone, replace(good, **longer)),
        "an empty control": lambda: world.step(everyone, Control()),
        "a step before any reset": lambda: fresh.step([0], good.select([0])),
        "a snapshot of an unknown slot": lambda: world.snapshot([n]),
        "another world's snapshot": lambda: world.restore([0], Snapshot(f"not {state.world}", state.states)),
        "a snapshot of one row for two slots": lambda: world.restore([0, 1], state),
    }
    if doubled:
        cases["controls of twice the width"] = lambda: world.step(everyone, replace(good, **doubled))
    if floats:
        cases["a control that is not a number"] = lambda: world.step(everyone, replace(good, **floats))
    return cases


def _named(control: Control) -> dict[str, Any]:
    names = ("buttons", "look", "camera", "robot")
    return {name: getattr(control, name) for name in names if getattr(control, name) is not None}


def _must_refuse(what: str, call: Callable[[], Any]) -> None:
    try:
        call()
    except ValueError:
        return
    except Exception as problem:
        raise BrokenError(
            f"{what} raised {type(problem).__name__}: raise a ValueError that says what is wrong"
        ) from problem
    raise BrokenError(f"{what} was taken without a word: raise a ValueError that says what is wrong")
