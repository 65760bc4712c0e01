"""The contract's own small parts: the checks that every world uses, snapshots, the protocol."""

from __future__ import annotations

import pytest
import torch

from wmsim.control import Control
from wmsim.sims.toy import ToyWorld
from wmsim.world import Snapshot, World, check_robot, check_seeds, check_slots, check_snapshot


def test_a_world_is_known_by_what_it_can_do() -> None:
    assert isinstance(ToyWorld(), World)
    assert not isinstance(object(), World)


def test_slots_become_a_list() -> None:
    assert check_slots(range(3), 3) == [0, 1, 2]
    assert check_slots([2, 0], 3) == [2, 0]


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ([], "at least one slot"),
        ([3], "slot 3 does not exist: this world has slots 0 to 2"),
        ([0, -1], "slot -1 does not exist"),
        ([1, 1], r"named twice in \[1, 1\]"),
    ],
)
def test_wrong_slots_are_told(slots: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_slots(slots, 3)


def test_seeds() -> None:
    assert check_seeds([5, 0], [1, 2]) == [5, 0]
    with pytest.raises(ValueError, match="2 slots need 2 seeds, got 1"):
        check_seeds([5], [1, 2])
    with pytest.raises(ValueError, match="at least 0, got -3"):
        check_seeds([5, -3], [1, 2])


def test_robot_controls() -> None:
    good = Control.of_robot(torch.zeros(2, 3, 4), "arm")
    assert check_robot(good, "arm", 4, [0, 1], 3) is good.robot
    with pytest.raises(ValueError, match="takes 'wheel' controls, got domain 'arm'"):
        check_robot(good, "wheel", 4, [0, 1], 3)
    with pytest.raises(ValueError, match=r"have shape \(2, 1, 4\), got \(2, 3, 4\)"):
        check_robot(good, "arm", 4, [0, 1], 1)
    with pytest.raises(ValueError, match="not finite"):
        check_robot(Control.of_robot(torch.full((1, 1, 2), torch.inf), "arm"), "arm", 2, [0], 1)
    with pytest.raises(ValueError, match="holds nothing"):
        check_robot(Control(), "arm", 2, [0], 1)


def test_snapshots_are_selected_and_checked() -> None:
    taken = Snapshot("toy", ("a", "b", "c"))
    assert taken.select([2, 2, 0]).states == ("c", "c", "a")
    check_snapshot(taken, "toy", [0, 1, 2])
    with pytest.raises(ValueError, match="taken from world 'toy', not 'drive'"):
        check_snapshot(taken, "drive", [0, 1, 2])
    with pytest.raises(ValueError, match="2 slots need 2 snapshot rows, got 3"):
        check_snapshot(taken, "toy", [0, 1])
