"""Image metrics against known values, an independent implementation's figures, and their own edges."""

import numpy as np
import pytest

from wmsim.metrics import colour_shift, frozen, motion, psnr, sharpness, ssim, ssim_map


def patterns():
    r, c = np.indices((40, 56))
    a = np.stack([(7 * r + 3 * c) % 256, (r * c) % 256, (5 * r + 11 * c * c) % 256], -1).astype(np.uint8)
    shifted = [(7 * r + 3 * c + 9) % 256, (r * c + 13) % 256, (5 * r + 11 * c * c + (r % 5) * 6) % 256]
    return a, np.stack(shifted, -1).astype(np.uint8)


def test_psnr_of_a_known_error():
    a = np.full((2, 8, 8, 3), 100, np.uint8)
    b = a + np.array([10, 1], np.uint8)[:, None, None, None]
    assert psnr(a, b) == pytest.approx([28.1308, 48.1308], abs=1e-4)


def test_psnr_does_not_wrap_around_in_uint8():
    white, black = np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)
    assert psnr(black, white) == pytest.approx(0.0)
    assert psnr(white, black) == pytest.approx(0.0)


def test_equal_images_reach_the_ceiling():
    a, _ = patterns()
    assert psnr(a, a) == pytest.approx(100.0)
    assert ssim(a, a) == pytest.approx(1.0)


def test_psnr_and_ssim_agree_with_scikit_image():
    # scikit-image 0.26.0: peak_signal_noise_ratio; structural_similarity(gaussian_weights=True, sigma=1.5,
    # use_sample_covariance=False, channel_axis=-1, data_range=255)
    a, b = patterns()
    assert psnr(a, b) == pytest.approx(14.462004452272318, abs=1e-9)
    assert ssim(a, b) == pytest.approx(0.7518890639230674, abs=1e-9)


def test_ssim_map_is_the_formula_of_one_window():
    a, b = patterns()
    offsets = np.arange(-5, 6)
    taps = np.exp(-0.5 * (offsets / 1.5) ** 2)
    weight = np.outer(taps, taps) / taps.sum() ** 2
    x, y = (i[10:21, 20:31, 0].astype(float) for i in (a, b))
    mx, my = (weight * x).sum(), (weight * y).sum()
    vx, vy, cov = ((weight * x * x).sum() - mx**2, (weight * y * y).sum() - my**2, (weight * x * y).sum() - mx * my)
    c1, c2 = 2.55**2, 7.65**2
    wanted = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    same = np.repeat(a[..., :1], 3, -1), np.repeat(b[..., :1], 3, -1)
    assert ssim_map(*same)[15, 25] == pytest.approx(wanted)


def test_masks_choose_the_pixels():
    a = np.zeros((16, 16, 3), np.uint8)
    b = a.copy()
    b[:8] = 50
    upper = np.zeros((16, 16), bool)
    upper[:8] = True
    assert psnr(a, b, upper) == pytest.approx(14.1514, abs=1e-4)
    assert psnr(a, b, ~upper) == pytest.approx(100.0)
    assert ssim(a, b, upper) < ssim(a, b, ~upper)


def test_a_mask_of_few_pixels_says_nothing():
    a, b = patterns()
    mask = np.zeros(a.shape[:2], bool)
    mask[0, :15] = True
    assert np.isnan(psnr(a, b, mask))
    mask[0, 15] = True
    assert np.isfinite(psnr(a, b, mask))
    assert np.isfinite(ssim(a, b, mask))


def test_small_images_have_no_ssim():
    small = np.zeros((10, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="10 x 64"):
        ssim(small, small)


def test_sharpness_falls_with_blur_and_is_zero_on_a_ramp():
    board = np.repeat((np.indices((32, 32)).sum(0) % 2 * 200).astype(np.uint8)[..., None], 3, -1)
    blurred = ((board[:-1, :-1].astype(int) + board[1:, :-1] + board[:-1, 1:] + board[1:, 1:]) // 4).astype(np.uint8)
    ramp = np.repeat(np.arange(32, dtype=np.uint8)[None, :, None], 32, 0).repeat(3, -1)
    assert sharpness(board) == pytest.approx(800.0, abs=5)
    assert sharpness(blurred) == pytest.approx(0.0)
    assert sharpness(ramp) == pytest.approx(0.0, abs=1e-9)


def test_a_film_that_stops_is_frozen():
    film = np.zeros((2, 11, 8, 8, 3), np.uint8)
    film[0] += (np.arange(11, dtype=np.uint8) * 5)[:, None, None, None]
    film[1, :6] = film[0, :6]
    film[1, 6:] = film[0, 5]
    change = motion(film)
    assert change.shape == (2, 10)
    assert change[0] == pytest.approx(np.full(10, 5.0))
    assert frozen(change, usual=5.0) == pytest.approx([0.0, 0.5])


def test_colour_shift_is_the_worst_channel():
    before = np.full((1, 4, 8, 8, 3), 100, np.uint8)
    after = before.copy()
    after[..., 0] += 3
    after[..., 2] -= 51
    assert colour_shift(after, before) == pytest.approx([20.0])
    assert colour_shift(before, before) == pytest.approx([0.0])
