"""Checks of slots: seeds, the order of rows, isolation, batches, snapshots."""

from __future__ import annotations

import pickle

import numpy as np

from wmsim.conformance.probe import Sequel, WorldProbe, apart, go_on, run, same_numbers, script
from wmsim.conformance.suite import expect
from wmsim.control import Control

_NEARER = 0.5


def seeding(probe: WorldProbe) -> str:
    """Same seed, same episode; other seed, other episode; the other slots' seeds and the batch's size play no part."""
    n, world = probe.config.slots, probe.world(probe.config.slots)
    one = script(probe.spec, 1, probe.steps, 5, world.device)
    alike = [control.select([0] * n) for control in one]
    seeds = probe.seeds(n)
    first = run(world, range(n), seeds, alike)
    again = run(world, range(n), seeds, alike)
    expect(apart(first, again) <= probe.tolerance, "the same seeds gave other episodes: key all chance by the seed")
    others = sorted(apart(first, first, (0, i)) for i in range(1, n))  # a world with few starts may draw one twice
    fix = "use each slot's own seed, neither one for all nor a constant"
    expect(others[len(others) // 2] > probe.tolerance, f"different seeds gave the same episode: {fix}")
    twins = run(world, range(n), [seeds[0], seeds[0], *probe.seeds(n - 2, 900)], alike)
    bound = max(probe.tolerance, _NEARER * float(np.mean(others)))
    expect(
        apart(twins, twins, (0, 1)) <= bound, "one seed in two slots gave two episodes: leave the slot out of the seed"
    )
    expect(
        apart(first, twins, (0, 0)) <= bound, "another slot's seed changed the episode: key each slot by its own seed"
    )
    alone = run(probe.world(1), [0], seeds[:1], one)
    expect(apart(first, alone, (0, 0)) <= bound, "the batch's size changed the episode: leave it out of the seed")
    return f"other seeds are {np.mean(others):.1f} grey levels apart, equal seeds {apart(first, again):.2f}"


def row_order(probe: WorldProbe) -> str:
    """Rows come in the order in which the slots are named."""
    world, seeds = probe.world(probe.config.slots), probe.seeds(2)
    controls = script(probe.spec, 2, probe.steps, 6, world.device)
    ahead = run(world, [0, 2], seeds, controls)
    back = run(world, [2, 0], seeds[::-1], [control.select([1, 0]) for control in controls])
    far = max(apart(ahead, back, (i, 1 - i)) for i in range(2))
    fix = "return the rows, and read the seeds and controls, in the order in which the slots are named"
    expect(far <= probe.tolerance, f"slots named [2, 0] differ from [0, 2] by {far:.2f} grey levels: {fix}")
    return f"{far:.2f} grey levels apart"


def slot_isolation(probe: WorldProbe) -> str:
    """Resetting or stepping a slot never alters another."""
    n, world = probe.config.slots, probe.world(probe.config.slots)
    controls = script(probe.spec, n, probe.steps, 7, world.device)
    quiet = run(world, range(n), probe.seeds(n), controls)
    half = len(controls) // 2
    noisy = run(world, range(n), probe.seeds(n), controls[:half])
    world.reset([1], [probe.config.seed + 777])
    noisy += go_on(world, range(n), controls[half : half + 1])
    world.step([2], controls[0].select([2]))
    world.step([1, 2], controls[1].select([1, 2]))
    noisy += go_on(world, range(n), controls[half + 1 :])
    far = apart(quiet, noisy, (0, 0))
    good = far <= probe.tolerance and same_numbers(quiet, noisy, (0, 0), probe.tolerance)
    fix = "reset and step only the slots that were named (an env that restarts all when one ends glues episodes)"
    expect(good, f"resetting slot 1 and stepping slot 2 changed slot 0 by {far:.2f} grey levels: {fix}")
    return f"{far:.2f} grey levels"


def batch_invariance(probe: WorldProbe) -> str:
    """n slots equal n single worlds, within the spec's tolerance."""
    n, world = probe.config.slots, probe.world(probe.config.slots)
    controls, seeds = script(probe.spec, n, probe.steps, 8, world.device), probe.seeds(n)
    batch = run(world, range(n), seeds, controls)
    far = [_alone(probe, batch, row) for row in range(min(n, 3))]
    return f"at most {max(far):.3f} grey levels, {probe.tolerance:g} declared"


def _alone(probe: WorldProbe, batch: Sequel, row: int) -> float:
    world = probe.world(1)
    controls = script(probe.spec, probe.config.slots, probe.steps, 8, world.device)
    single = run(world, [0], [probe.seeds(row + 1)[row]], [control.select([row]) for control in controls])
    far = apart(batch, single, (row, 0))
    good = far <= probe.tolerance and same_numbers(batch, single, (row, 0), probe.tolerance)
    fix = "keep statistics and noise per slot, or state the tolerance in the spec"
    expect(
        good, f"slot {row} in a batch is {far:.3f} grey levels from the same slot alone, or its numbers differ: {fix}"
    )
    return far


def snapshot_restore(probe: WorldProbe) -> str:
    """snapshot, step, restore, step is identical to the bit; into another slot it makes a fork."""
    n, world = probe.config.slots, probe.world(probe.config.slots)
    before, after = (script(probe.spec, n, probe.steps, seed, world.device) for seed in (9, 10))
    run(world, range(n), probe.seeds(n), before)
    state = world.snapshot(range(n))
    kept = pickle.loads(pickle.dumps(state))
    first = go_on(world, range(n), after)
    for held, what in ((state, "a restored snapshot"), (state, "a second restore"), (kept, "a pickled snapshot")):
        world.restore(range(n), held)
        again = go_on(world, range(n), after)
        same = apart(first, again) == 0 and all(same_numbers(first, again, (i, i), 0.0) for i in range(n))
        fix = "put every number that the future depends on into the snapshot, as copies"
        expect(same, f"{what} went on otherwise ({apart(first, again):.3f} grey levels): {fix}")
    return _fork(probe, after)


def _fork(probe: WorldProbe, after: list[Control]) -> str:
    n, world = probe.config.slots, probe.world(probe.config.slots)
    state = world.snapshot(range(n))
    world.restore([1], state.select([0]))
    forked = go_on(world, range(n), [control.select([0, 0, *range(2, n)]) for control in after])
    far = apart(forked, forked, (0, 1))
    good = far <= probe.tolerance and same_numbers(forked, forked, (0, 1), probe.tolerance)
    expect(good, f"a fork went {far:.3f} grey levels away from its source: leave the slot's number out of the state")
    return f"three restores to the bit, a fork {far:.3f} grey levels from its source"
