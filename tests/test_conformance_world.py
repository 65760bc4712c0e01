"""check_world: sound worlds pass every check, and each broken one fails exactly its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import broken_worlds as broken
import pytest

from wmsim.conformance import WORLD_CHECKS, CheckConfig, ConformanceError, Report, check_world
from wmsim.conformance.behaviour import changed_generators
from wmsim.sims.toy import ToyWorld
from wmsim.world import World

QUICK = CheckConfig(slots=3, frames=8, long_frames=64)
CHUNKS = CheckConfig(slots=4, frames=8, long_frames=240)

BROKEN: list[tuple[Callable[[int], Any], str, str]] = [
    (broken.DoubleReward, "spaces_and_dtypes", "step: reward is torch.float64: the contract says torch.float32"),
    (broken.NoProprio, "spaces_and_dtypes", "spec.proprio names .* the step gave None"),
    (broken.PaidReset, "spaces_and_dtypes", "a reset returns reward 0"),
    (broken.Frozen, "advances", "feed each step's state into the next one"),
    (broken.Deaf, "obeys", "let the controls reach the dynamics"),
    (broken.NoisyWindow, "obeys", "let the controls reach the dynamics"),
    (broken.ConstantSeed, "seeding", "different seeds gave the same episode"),
    (broken.ClockSeed, "seeding", "the same seeds gave other episodes"),
    (broken.SlotSeed, "seeding", "one seed in two slots gave two episodes"),
    (broken.NeighbourSeed, "seeding", "another slot's seed changed the episode|one seed in two slots"),
    (broken.SizeSeed, "seeding", "the batch's size changed the episode"),
    (broken.Sorting, "row_order", "in the order in which the slots are named"),
    (broken.RestartsAll, "slot_isolation", "reset and step only the slots that were named"),
    (broken.StepsAll, "slot_isolation", "reset and step only the slots that were named"),
    (broken.BatchNorm, "batch_invariance", "state the tolerance in the spec"),
    (broken.ForgetsSpeed, "snapshot_restore", "put every number that the future depends on into the snapshot"),
    (broken.SharedState, "snapshot_restore", "as copies"),
    (broken.LateEnd, "termination_in_chunk", "report the frame in which it happens"),
    (broken.PaysOn, "termination_in_chunk", "rewards go on after the end"),
    (broken.MovesOn, "termination_in_chunk", "frames go on after the end"),
    (broken.Blinks, "termination_in_chunk", "terminated turned false again inside a chunk"),
    (broken.GoesOn, "termination_in_chunk", "in the steps after it"),
    (broken.SilentReward, "no_silent_reward", "the reward was 0 in all"),
    (broken.UndeclaredReward, "no_silent_reward", "return None, not zeros"),
    (broken.MissingReward, "no_silent_reward", "predict it or declare reward=False"),
    (broken.UndeclaredEnd, "no_silent_termination", "return None, not zeros"),
    (broken.MissingEnd, "no_silent_termination", "predict it or declare termination=False"),
    (broken.FullCache, "horizon", "the cache is full.*roll the cache"),
    (broken.EndsAtTwelve, "horizon", "declare this horizon"),
    (broken.Overruns, "horizon", "raise ValueError, or declare None"),
    (broken.ShortWindow, "memory", "let the world read its whole context"),
    (broken.Repaints, "memory", "keep what was seen"),
    (broken.LateRepaint, "memory", "not in a place that the next one overwrites"),
    (broken.AimlessContext, "memory", "spec.context is for 'window' only"),
    (broken.Hoards, "cost_flat", "drop what the memory no longer holds"),
    (broken.SlowsDown, "cost_flat", "let no loop or cache grow with the episode"),
    (broken.Reuses, "frames_are_kept", "return fresh tensors"),
    (broken.WritesToControls, "frames_are_kept", "work on a copy"),
    (broken.SeedsGlobals, "global_rng_untouched", r"reset changed the global generator of \['numpy'\]"),
    (broken.DrawsGlobals, "global_rng_untouched", r"step changed the global generator of \['random'\]"),
    (broken.TakesAnySlot, "bad_input", "step of an unknown slot was taken without a word"),
    (broken.TakesNan, "bad_input", "a control that is not a number was taken"),
    (broken.TakesForeign, "bad_input", "another world's snapshot was taken"),
    (broken.WrongError, "bad_input", "raised IndexError: raise a ValueError"),
]

SOUND: list[tuple[str, Callable[[int], Any], list[str]]] = [
    ("wheel", broken.Toy, []),
    ("chunked", broken.Chunked, []),
    ("walk", broken.Walk, []),
    ("walk in chunks", lambda slots: ToyWorld(slots, size=12, ride="walk", frames_per_step=4), []),
    ("window", broken.WindowWorld, ["termination_in_chunk"]),
    ("limited", broken.Limited, ["cost_flat"]),
]


def report_of(factory: Callable[[int], Any]) -> Report:
    chunked = isinstance(factory, type) and issubclass(factory, broken.Chunked)
    return check_world(factory, CHUNKS if chunked else QUICK)


@pytest.mark.parametrize(("factory", "name", "message"), BROKEN, ids=lambda v: getattr(v, "__name__", None))
def test_each_broken_world_fails_exactly_its_own_check(
    factory: Callable[[int], World], name: str, message: str
) -> None:
    report = report_of(factory)
    assert report.named("fail") == [name], {r.name: r.message for r in report.results if r.status == "fail"}
    with pytest.raises(ConformanceError, match=f"(?s){name}: .*({message})"):
        report.raise_for_failures()


@pytest.mark.parametrize(("name", "factory", "skipped"), SOUND, ids=[row[0] for row in SOUND])
def test_sound_worlds_pass(name: str, factory: Callable[[int], World], skipped: list[str]) -> None:
    report = check_world(factory, CHUNKS if "chunk" in name else QUICK, name)
    report.raise_for_failures()
    assert report.ok
    assert report.subject == name
    assert sorted(report.named("skip")) == skipped
    assert [r.name for r in report.results] == [check.name for check in WORLD_CHECKS]


def test_every_check_has_a_world_that_only_it_catches() -> None:
    assert {name for _, name, _ in BROKEN} == {check.name for check in WORLD_CHECKS}


def test_a_fault_shows_once_and_what_builds_on_it_says_so() -> None:
    report = check_world(broken.ConstantSeed, QUICK)
    skipped = {r.name: r.message for r in report.results if r.status == "skip"}
    assert skipped["slot_isolation"] == "builds on seeding, which failed: mend that first"


def test_sparse_rewards_can_be_declared() -> None:
    config = CheckConfig(slots=3, frames=8, long_frames=64, sparse_reward=True)
    assert check_world(broken.SilentReward, config).ok


def test_worlds_are_closed_also_when_a_check_raises() -> None:
    closed = []

    class Closing(broken.Toy):
        def close(self) -> None:
            closed.append(self.slots)

    check_world(Closing, QUICK)
    assert sorted(closed) == [1, 1, 2, 3]


def test_a_world_that_cannot_be_made_is_no_report() -> None:
    def refuses(slots: int) -> World:
        raise FileNotFoundError("no weights")

    with pytest.raises(FileNotFoundError, match="no weights"):
        check_world(refuses, QUICK, "mine")


def test_too_small_a_check_is_refused() -> None:
    with pytest.raises(ValueError, match="slots >= 3"):
        CheckConfig(slots=2)


@pytest.mark.parametrize(("draws", "changed"), [((1, 1, 1), ["random"]), ((1, 0, 1), ["random"]), ((1, 0, 0), [])])
def test_the_draw_of_another_thread_is_not_the_worlds(draws: tuple[int, ...], changed: list[str]) -> None:
    left, before = list(draws), random.getstate()

    def call() -> None:
        if left.pop(0):
            random.random()

    assert changed_generators(call) == changed
    assert random.getstate() == before
