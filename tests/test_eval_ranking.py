"""Ranking statistics against the values that SIMPLER's published numbers give."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="rankings need the [eval] extra")

from eval.ranking import agreement, kendall, mmrv, phi, regret, spearman, without_each
from wmsim.metrics import pearson

# Success rates of SIMPLER (arXiv 2405.05941), simulated and real; policies RT-2-X, RT-1 converged, RT-1 15 %, RT-1-X,
# RT-1 begin, Octo base, or on the WidowX RT-1-X, Octo base, Octo small.
PUBLISHED = {
    "pick coke can": ([0.787, 0.857, 0.710, 0.567, 0.027, 0.170], [0.907, 0.853, 0.920, 0.760, 0.133, 0.293]),
    "move near": ([0.779, 0.442, 0.354, 0.317, 0.050, 0.042], [0.733, 0.633, 0.583, 0.450, 0.017, 0.350]),
    "open drawer": ([0.157, 0.601, 0.463, 0.296, 0.000, 0.009], [0.333, 0.815, 0.704, 0.519, 0.000, 0.148]),
    "close drawer": ([0.343, 0.861, 0.667, 0.891, 0.278, 0.444], [0.630, 0.926, 0.889, 0.741, 0.000, 0.519]),
    "place apple": ([0.037, 0.065, 0.130, 0.213, 0.000, 0.000], [0.074, 0.185, 0.185, 0.407, 0.000, 0.000]),
    "spoon on towel": ([0.000, 0.125, 0.472], [0.000, 0.333, 0.417]),
    "carrot on plate": ([0.042, 0.083, 0.097], [0.000, 0.250, 0.083]),
    "stack cube": ([0.000, 0.000, 0.042], [0.000, 0.000, 0.125]),
    "eggplant in basket": ([0.000, 0.431, 0.569], [0.000, 0.250, 0.400]),
}
KNOWN = {
    "pick coke can": (0.975, 0.771, 0.031),
    "move near": (0.856, 0.943, 0.111),
    "open drawer": (0.983, 1.0, 0.0),
    "close drawer": (0.771, 0.771, 0.123),
    "place apple": (0.969, 0.985, 0.0),
    "spoon on towel": (0.827, 1.0, 0.0),
    "carrot on plate": (0.571, 0.5, 0.111),
    "stack cube": (1.0, 1.0, 0.0),
    "eggplant in basket": (0.989, 1.0, 0.0),
}


@pytest.mark.parametrize("task", KNOWN)
def test_published_numbers_give_the_known_values(task: str) -> None:
    score, truth = (np.array(side) for side in PUBLISHED[task])
    assert (pearson(score, truth), spearman(score, truth), mmrv(score, truth)) == pytest.approx(KNOWN[task], abs=6e-4)


def test_regret_is_what_the_wrong_choice_costs() -> None:
    score, truth = (np.array(side) for side in PUBLISHED["close drawer"])
    assert regret(score, truth) == pytest.approx(0.185)
    assert regret(truth, truth) == 0


def test_kendall_counts_pairs() -> None:
    assert kendall(np.array([1, 2, 3, 4]), np.array([1, 2, 4, 3])) == pytest.approx((5 - 1) / 6)


def test_phi_of_verdicts() -> None:
    one, other = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 0, 0, 1], bool)
    a, b, c, d = 2, 1, 0, 2  # both, only one, only the other, neither
    assert phi(one, other) == pytest.approx((a * d - b * c) / np.sqrt((a + b) * (c + d) * (a + c) * (b + d)))


def test_intervals_hold_the_truth_and_narrow_with_episodes() -> None:
    rng = np.random.default_rng(0)
    skill = np.linspace(0.05, 0.95, 12)[:, None]
    few, many = ([(rng.random((12, e)) < skill).astype(float) for _ in range(2)] for e in (10, 400))
    near, far = agreement(*many, draws=200), agreement(*few, draws=200)
    assert near["Pearson"].low > 0.95 > far["Pearson"].low
    assert near["MMRV"].mean < 0.02 < far["MMRV"].high
    assert near["bias"].low < 0 < near["bias"].high
    with pytest.raises(ValueError, match="N >= 3"):
        agreement(few[0][:2], few[1][:2])


def test_families_are_left_out_in_turn() -> None:
    score, truth = np.array([0.1, 0.2, 0.9, 0.8]), np.array([0.1, 0.2, 0.3, 0.4])
    found = without_each(score, truth, ["a", "a", "b", "b"])
    assert list(found) == ["a", "b"]
    assert found["a"]["regret"] == pytest.approx(0.1)
    assert found["b"]["MMRV"] == 0
