"""How near two images are, and how sharp, alive and true in colour a film is.

Shape legend: `...` any leading axes (clips, frames), H x W pixels, 3 RGB channels; images are uint8, 0 to 255.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, UInt8

CEILING_DB = 100.0
"""What `psnr` says of two equal images, for which the formula has no value."""

LEAST_PIXELS = 16
"""A mask with fewer pixels than this says nothing: the value is nan."""

_LUMA = np.array([0.299, 0.587, 0.114])
_RADIUS, _SIGMA = 5, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(
    image: UInt8[np.ndarray, "*n H W 3"],
    truth: UInt8[np.ndarray, "*n H W 3"],
    mask: Bool[np.ndarray, "*n H W"] | None = None,
) -> Float[np.ndarray, "*n"]:
    """Peak signal-to-noise ratio in dB, 10 log10(255^2 / MSE), of the pixels in `mask` (all when None).

    At most `CEILING_DB`; nan where the mask holds fewer than `LEAST_PIXELS` pixels.
    """
    squared = np.square(image.astype(np.float64) - truth).mean(-1)
    error = np.maximum(masked_mean(squared, mask), 255.0**2 * 10 ** (-CEILING_DB / 10))
    return np.asarray(10 * np.log10(255.0**2 / error))


def ssim(
    image: UInt8[np.ndarray, "*n H W 3"],
    truth: UInt8[np.ndarray, "*n H W 3"],
    mask: Bool[np.ndarray, "*n H W"] | None = None,
) -> Float[np.ndarray, "*n"]:
    """Structural similarity (Wang et al. 2004, eq. 13), mean over RGB; -1 to 1, 1 for equal images.

    Without a mask the mean runs over the windows that lie wholly inside the image, as in the paper; with one it runs
    over the mask's pixels, the image mirrored at its border. nan where the mask holds under `LEAST_PIXELS` pixels.
    """
    return ssim_mean(ssim_map(image, truth), mask)


def ssim_mean(
    similarity: Float[np.ndarray, "*n H W"], mask: Bool[np.ndarray, "*n H W"] | None
) -> Float[np.ndarray, "*n"]:
    """What `ssim` gives, from a map that `ssim_map` drew: for several masks of one image."""
    inside = slice(_RADIUS, -_RADIUS)
    return masked_mean(similarity[..., inside, inside], None) if mask is None else masked_mean(similarity, mask)


def ssim_map(image: UInt8[np.ndarray, "*n H W 3"], truth: UInt8[np.ndarray, "*n H W 3"]) -> Float[np.ndarray, "*n H W"]:
    """SSIM at every pixel: 11 x 11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, mean over RGB.

    ValueError for images under 11 pixels a side.
    """
    if min(image.shape[-3:-1]) <= 2 * _RADIUS:
        raise ValueError(f"SSIM's window is 11 x 11: the images have {image.shape[-3]} x {image.shape[-2]} pixels")
    x, y = image.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    below = (mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2)
    return np.asarray((above / below).mean(-1))


def masked_mean(
    values: Float[np.ndarray, "*n H W"], mask: Bool[np.ndarray, "*n H W"] | None
) -> Float[np.ndarray, "*n"]:
    """The mean over the mask's pixels, over all when it is None; nan where it holds under `LEAST_PIXELS` pixels."""
    if mask is None:
        return np.asarray(values.mean((-2, -1)))
    count = mask.sum((-2, -1))
    mean = (values * mask).sum((-2, -1)) / np.maximum(count, 1)
    return np.asarray(np.where(count >= LEAST_PIXELS, mean, np.nan))


def sharpness(frames: UInt8[np.ndarray, "*n H W 3"]) -> Float[np.ndarray, "*n"]:
    """Standard deviation of the Laplacian of the luma, in grey levels: falls when a film blurs (Pech-Pacheco 2000)."""
    luma = frames @ _LUMA
    middle = luma[..., 1:-1, 1:-1]
    around = luma[..., :-2, 1:-1] + luma[..., 2:, 1:-1] + luma[..., 1:-1, :-2] + luma[..., 1:-1, 2:]
    return np.asarray((around - 4 * middle).std((-2, -1)))


def motion(frames: UInt8[np.ndarray, "*n T H W 3"]) -> Float[np.ndarray, "*n T-1"]:
    """Mean absolute change from one frame to the next, in grey levels."""
    change = np.abs(frames[..., 1:, :, :, :].astype(np.int16) - frames[..., :-1, :, :, :])
    return np.asarray(change.mean((-3, -2, -1)))


def frozen(change: Float[np.ndarray, "*n T"], usual: float, share: float = 0.1) -> Float[np.ndarray, "*n"]:
    """The part of the frames whose `motion` lies under `share` of what is usual in real films: 0 alive, 1 frozen."""
    return np.asarray((change < share * usual).mean(-1))


def colour_shift(
    frames: UInt8[np.ndarray, "*n T H W 3"], before: UInt8[np.ndarray, "*n S H W 3"]
) -> Float[np.ndarray, "*n"]:
    """How far the mean colour of a film has moved from that of its own beginning, in percent of full scale.

    The channel that moved most counts.
    """
    moved = frames.mean((-4, -3, -2)) - before.mean((-4, -3, -2))
    return np.asarray(np.abs(moved).max(-1) / 255 * 100)


def _blur(image: Float[np.ndarray, "*n H W 3"]) -> Float[np.ndarray, "*n H W 3"]:
    return _blur_axis(_blur_axis(image, -3), -2)


def _blur_axis(image: np.ndarray, axis: int) -> np.ndarray:
    taps = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / _SIGMA) ** 2)
    size = image.shape[axis]
    pad = [(0, 0)] * image.ndim
    pad[axis] = (_RADIUS, _RADIUS)
    mirrored = np.pad(image, pad, mode="symmetric")
    shifted = (tap * np.take(mirrored, np.arange(i, i + size), axis) for i, tap in enumerate(taps / taps.sum()))
    return np.asarray(sum(shifted))
