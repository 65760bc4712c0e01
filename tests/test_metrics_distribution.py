"""WM-KID: unbiased, zero between equal distributions, one for other real towns, large for something else."""

import numpy as np
import pytest

from wmsim.metrics import clip_features, polynomial_mmd, relative_distance


def test_mmd_is_the_sum_over_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    within_a = np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    within_b = np.mean([k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    across = np.mean([k(x, y) for x in a for y in b])
    assert polynomial_mmd(a, b) == pytest.approx(within_a + within_b - 2 * across)


def test_mmd_is_unbiased_and_sees_a_shift():
    rng = np.random.default_rng(1)
    same = [polynomial_mmd(rng.normal(size=(20, 8)), rng.normal(size=(20, 8))) for _ in range(200)]
    shifted = polynomial_mmd(rng.normal(size=(20, 8)), rng.normal(1.0, size=(20, 8)))
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(200)
    assert shifted > max(same)


def test_mmd_needs_two_rows():
    with pytest.raises(ValueError, match="1 and 3"):
        polynomial_mmd(np.zeros((1, 4)), np.zeros((3, 4)))


def test_other_towns_score_about_one_and_noise_far_more():
    rng = np.random.default_rng(2)
    colours = rng.normal(size=(40, 16))
    towns = np.repeat(np.arange(32), 8)
    real = colours[towns] + 0.3 * rng.normal(size=(256, 16))
    unseen = colours[np.repeat(np.arange(32, 40), 8)] + 0.3 * rng.normal(size=(64, 16))
    _, near = relative_distance(unseen, real, towns, towns_dreamt=8)
    _, far = relative_distance(unseen + 2.0, real, towns, towns_dreamt=8)
    assert -3 < near < 3
    assert far > 10


def test_one_town_has_nothing_to_be_compared_with():
    with pytest.raises(ValueError, match="two towns"):
        relative_distance(np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(4), 1)


def test_features_are_fixed_and_see_colour_and_motion():
    rng = np.random.default_rng(3)
    still = np.repeat(rng.integers(0, 256, (1, 1, 32, 32, 3)), 16, 1).astype(np.uint8)
    moving = np.stack([np.roll(still[0, 0], 2 * t, 1) for t in range(16)])[None]
    features = clip_features(np.concatenate([still, moving, 255 - still]))
    assert features.shape == (3, 256)
    np.testing.assert_array_equal(features, clip_features(np.concatenate([still, moving, 255 - still])))
    assert np.abs(features[0] - features[1]).max() > 1e-2
    assert np.abs(features[0] - features[2]).max() > 1e-2


def test_a_short_window_is_refused():
    with pytest.raises(ValueError, match="at least 8 frames"):
        clip_features(np.zeros((1, 4, 32, 32, 3), np.uint8))
