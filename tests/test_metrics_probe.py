"""The probe reads what frames show, and cannot read what they do not."""

import numpy as np
import pytest

from wmsim.metrics import ProbeConfig, fit_probe, pearson

CONFIG = ProbeConfig(width=8, epochs=6, batch=32)


def moving_bars(count, seed):
    """Frames of a bright bar that moves by -3 to 3 columns; the move into each frame."""
    rng = np.random.default_rng(seed)
    move = rng.integers(-3, 4, count)
    column = np.cumsum(move) % 32
    frames = np.zeros((count, 32, 32, 3), np.uint8)
    for i, c in enumerate(column):
        frames[i, :, [c, (c + 1) % 32, (c + 2) % 32]] = 255
    return frames, move.astype(np.float32)


def pairs(count):
    return np.stack([np.arange(count - 1), np.arange(1, count)], -1)


def test_it_reads_the_move_between_two_frames_and_not_noise():
    frames, move = moving_bars(1500, 0)
    noise = np.random.default_rng(9).normal(size=1499).astype(np.float32)
    probe = fit_probe(frames, pairs(1500), np.stack([move[1:], noise], -1), CONFIG)
    unseen, truth = moving_bars(300, 1)
    read = probe.read(unseen[pairs(300)])
    assert read.shape == (299, 2)
    assert pearson(read[:, 0], truth[1:]) > 0.9
    assert abs(pearson(read[:, 1], truth[1:])) < 0.5


def test_it_is_the_same_for_the_same_seed():
    frames, move = moving_bars(100, 0)
    one, two = (fit_probe(frames, pairs(100), move[1:, None], CONFIG) for _ in range(2))
    np.testing.assert_array_equal(one.read(frames[pairs(100)]), two.read(frames[pairs(100)]))


def test_a_target_that_never_varies_is_refused():
    frames, _ = moving_bars(20, 0)
    with pytest.raises(ValueError, match="target 0 never varies"):
        fit_probe(frames, pairs(20), np.ones((19, 1), np.float32), CONFIG)
