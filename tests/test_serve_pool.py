"""A served toy world is the toy world: it keeps every promise, and no kill, drain or retry changes a frame."""

from __future__ import annotations

import importlib.util
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from wmsim.conformance import CheckConfig, check
from wmsim.control import Control
from wmsim.sims.toy import ToyWorld
from wmsim.world import Step, World

if importlib.util.find_spec("ray") is None:
    pytest.skip("a pool needs the [ray] extra", allow_module_level=True)

import ray

from wmsim.serve import wire
from wmsim.serve.client import RemoteWorld
from wmsim.serve.config import PoolConfig
from wmsim.serve.errors import Busy, LeaseLost, StepOrderError, checked
from wmsim.serve.line import Shortcut
from wmsim.serve.pool import Pool

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray.*"),
]
SIZE = 12


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Two replicas of eight slots, snapshots every four steps."""
    ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
    made = Pool(
        "wmsim.sims.toy:ToyWorld",
        PoolConfig(replicas=2, slots=8, cpus=0.5, snapshot_every=4, patience=120.0),
        size=SIZE,
    )
    yield made
    made.stop()
    ray.shutdown()


@pytest.fixture
def world(pool: Pool) -> Iterator[RemoteWorld]:
    """Three slots of it, all of them begun."""
    made = pool.world(3)
    made.reset([0, 1, 2], [5, 6, 7])
    yield made
    made.close()


def twin(seeds: list[int]) -> ToyWorld:
    """The same world in this process, begun with these seeds."""
    made = ToyWorld(len(seeds), size=SIZE)
    made.reset(range(len(seeds)), seeds)
    return made


def wheel(number: int, slots: int = 3) -> Control:
    return Control.of_wheel(np.random.default_rng(number).uniform(-1, 1, (slots, 2)).astype(np.float32) * (1, 0.1))


def same(one: Step, other: Step) -> bool:
    assert one.reward is not None
    assert other.reward is not None
    return torch.equal(one.frames["top"], other.frames["top"]) and torch.equal(one.reward, other.reward)


def go_on_alike(one: World, other: World, steps: int, first: int = 0) -> None:
    for number in range(first, first + steps):
        assert same(one.step([0, 1, 2], wheel(number)), other.step([0, 1, 2], wheel(number))), number


def kill(pool: Pool, world: RemoteWorld) -> int:
    """End the process under slot 0; returns how often replicas had been replaced before."""
    status = pool.status()
    os.kill(int(status["replicas"][world._places[0][0]]["pid"]), signal.SIGKILL)
    return int(status["restarts"])


def until(holds: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def whole(pool: Pool, replicas: int = 2) -> None:
    """Wait until so many replicas are ready."""
    until(lambda: list(pool.status()["states"].values()) == ["ready"] * replicas)


# --- it is a World ---------------------------------------------------------------------------------------------------


def test_it_keeps_every_promise(pool: Pool) -> None:
    report = check("ray://pool", CheckConfig(frames=8, long_frames=120))
    report.raise_for_failures()
    assert report.named("skip") == []


def test_an_environment_finds_it_by_name(pool: Pool) -> None:
    envs = [gymnasium.make("wmsim/Toy-v0", **where) for where in ({"world": "ray://pool"}, {"size": SIZE})]
    shown = [env.reset(seed=3)[0] for env in envs]
    for _ in range(5):
        assert np.array_equal(*shown)
        shown = [env.step(np.array([0.3, 0.1], np.float32))[0] for env in envs]
    for env in envs:
        env.close()
    until(lambda: pool.status()["leased"] == 0)


def test_settings_of_the_world_belong_to_whoever_serves_it(pool: Pool) -> None:
    with pytest.raises(ValueError, match="where the pool is started"):
        gymnasium.make("wmsim/Toy-v0", world="ray://pool", size=40)
    with pytest.raises(ValueError, match=r"no pool 'nowhere': there are \['pool'\]"):
        gymnasium.make("wmsim/Toy-v0", world="ray://nowhere")


def test_a_client_may_hold_slots_of_several_replicas(pool: Pool) -> None:
    made, local = pool.world(14), twin(list(range(14)))
    made.reset(range(14), range(14))
    assert len({name for name, _ in made._places}) == 2
    order = np.random.default_rng(0).permutation(14).tolist()
    for number in range(4):
        control = wheel(number, 14)
        assert same(made.step(order, control), local.step(order, control))
    made.close()


def test_clients_share_calls_of_the_world(pool: Pool) -> None:
    def client() -> None:
        made = pool.world(1)
        made.reset([0], [1])
        for number in range(60):
            made.step([0], wheel(number, 1))
        made.close()

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [one for one in pool.status()["replicas"].values() if one["batch_rows"]]
    assert max(one["batch_rows"] for one in told) > 1.2
    assert all(0 < one["latency_ms_p50"] <= one["latency_ms_p95"] <= one["latency_ms_p99"] for one in told)


def test_on_its_own_machine_a_step_goes_past_ray(world: RemoteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(messages: Sequence[wire.Message]) -> Any:
        raise AssertionError(f"{len(messages)} messages went to the actor")

    local = twin([5, 6, 7])
    ways = [line._send for line in world._lines.values()]
    if sys.platform != "linux":
        pytest.skip("this system has no abstract sockets")
    for way in ways:
        assert isinstance(way, Shortcut)
        monkeypatch.setattr(way, "_call", refused)
    for t in range(3):
        assert same(world.step([0, 1, 2], wheel(t)), local.step([0, 1, 2], wheel(t)))


def test_large_frames_travel_through_rays_shared_memory() -> None:
    wide = Pool(ToyWorld, PoolConfig(name="wide", slots=2, cpus=0.1), size=160)
    world, local = wide.world(1), ToyWorld(1, size=160)
    assert same(world.reset([0], [3]), local.reset([0], [3]))
    for t in range(3):
        assert same(world.step([0], wheel(t, 1)), local.step([0], wheel(t, 1)))
    world.close()
    wide.stop()


# --- limits and retries ----------------------------------------------------------------------------------------------


def test_a_full_pool_is_busy_and_says_what_to_do(pool: Pool, world: RemoteWorld) -> None:
    with pytest.raises(Busy, match=r"14 slots wanted, 13 of 16 are free.*--slots"):
        pool.world(14)


def test_a_retried_step_is_answered_and_not_run_twice(world: RemoteWorld) -> None:
    name, slot = world._places[0]
    given = wire.of_control(wheel(0, 1))

    def act(turn: int) -> Any:
        message = {"token": world._token, "what": "step", "slots": [slot], "turns": [turn], "given": given}
        return checked(wire.unpack(ray.get(world._handles[name].act.remote(wire.pack(message)))))

    first, again, after = act(2), act(2), act(3)
    assert np.array_equal(first["step"]["frames"]["top"], again["step"]["frames"]["top"])
    assert not np.array_equal(first["step"]["frames"]["top"], after["step"]["frames"]["top"])
    with pytest.raises(StepOrderError, match="the slot is at 3"):
        act(2)


def test_a_closed_world_says_so(pool: Pool) -> None:
    made = pool.world(1)
    made.close()
    made.close()
    with pytest.raises(RuntimeError, match="closed"):
        made.reset([0], [1])


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [2, 11], ids=["from the seed", "from a snapshot"])
def test_a_killed_replica_changes_no_frame(pool: Pool, world: RemoteWorld, steps: int) -> None:
    local = twin([5, 6, 7])
    whole(pool)
    go_on_alike(world, local, steps)
    before = kill(pool, world)
    go_on_alike(world, local, 6, steps)
    until(lambda: pool.status()["restarts"] == before + 1)
    whole(pool)


def test_replay_goes_on_from_the_snapshot(pool: Pool, world: RemoteWorld) -> None:
    local, steps = twin([5, 6, 7]), itertools.count()

    def safe() -> bool:  # a snapshot counts once the vault has confirmed it, which takes as long as it takes
        go_on_alike(world, local, 1, next(steps))
        return min(log.saved for log in world._logs) >= 5

    until(safe)
    done = next(steps) + 1
    assert [len(log.since(log.saved)) for log in world._logs] == [done - log.saved for log in world._logs]


def test_with_the_snapshots_lost_too_the_whole_log_is_replayed(pool: Pool, world: RemoteWorld) -> None:
    local = twin([5, 6, 7])
    whole(pool)
    go_on_alike(world, local, 12)
    keys = [f"{world._token}/{row}" for row in range(3)]
    for vault in ray.get(pool.head.keepers.remote()):
        ray.get(vault.drop.remote(keys))
    kill(pool, world)
    go_on_alike(world, local, 4, 12)
    whole(pool)


def test_a_restored_moment_survives_a_kill(pool: Pool, world: RemoteWorld) -> None:
    local = twin([5, 6, 7])
    whole(pool)
    go_on_alike(world, local, 3)
    here, there = world.snapshot([1, 0, 2]), local.snapshot([1, 0, 2])
    go_on_alike(world, local, 3)
    world.restore([0, 1, 2], there)  # a snapshot of the world in this process fits the served one
    local.restore([0, 1, 2], here)
    kill(pool, world)
    go_on_alike(world, local, 3)
    whole(pool)


def test_draining_and_scaling_lose_no_episode(pool: Pool, world: RemoteWorld) -> None:
    local = twin([5, 6, 7])
    whole(pool)
    go_on_alike(world, local, 7)
    pool.drain(world._places[0][0])
    go_on_alike(world, local, 3, 7)
    pool.scale(3)
    whole(pool, 3)
    go_on_alike(world, local, 3, 10)
    pool.scale(2)
    go_on_alike(world, local, 3, 13)
    whole(pool)
    pool.drain(world._places[0][0])
    go_on_alike(world, local, 3, 16)
    whole(pool)
    with pytest.raises(ValueError, match="cannot hold the 3 slots"):
        pool.scale(0)
    with pytest.raises(ValueError, match="there is no replica 'nobody'"):
        pool.drain("nobody")


def test_a_vanished_clients_slots_are_reclaimed() -> None:
    small = Pool(ToyWorld, PoolConfig(name="small", slots=2, cpus=0.1, lease_seconds=2.0), size=SIZE)
    gone, alive = small.world(1), small.world(1)
    gone.reset([0], [1])
    gone._silent.set()  # as if its process had died
    alive.reset([0], [1])
    until(lambda: small.status()["leased"] == 1)
    with pytest.raises(LeaseLost, match="silent"):
        gone.step([0], wheel(0, 1))
    heir = small.world(1)
    assert same(heir.reset([0], [4]), ToyWorld(1, size=SIZE).reset([0], [4]))
    alive.step([0], wheel(0, 1))
    assert small.close(grace=0.1) == 2
