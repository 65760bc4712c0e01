"""What a sample of values supports: bootstrap intervals, correlation, and the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its confidence interval, and how many independent groups it rests on."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if self.count == 0:
            return "-"
        digits = 1 if abs(self.mean) >= 10 else 2 if abs(self.mean) >= 1 else 3
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def bootstrap_mean(
    values: Float[np.ndarray, "n"],
    groups: Shaped[np.ndarray, "n"] | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """The mean of `values` and its percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13).

    groups: values with equal entries (the clips of one town) are drawn together, so that the interval counts towns
    and not frames. nan values are left out; with none left every number is nan and count is 0.
    """
    kept = ~np.isnan(values)
    if not kept.any():
        return Interval(np.nan, np.nan, np.nan, 0)
    names = np.arange(len(values)) if groups is None else groups
    _, member = np.unique(names[kept], return_inverse=True)
    totals, sizes = np.bincount(member, values[kept]), np.bincount(member)
    drawn = np.random.default_rng(seed).integers(len(sizes), size=(draws, len(sizes)))
    means = totals[drawn].sum(1) / sizes[drawn].sum(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values[kept].mean()), float(low), float(high), len(sizes))


def pearson(a: Float[np.ndarray, "n"], b: Float[np.ndarray, "n"]) -> float:
    """Pearson's correlation, -1 to 1; nan when one side does not vary or fewer than three pairs have no nan."""
    kept = ~(np.isnan(a) | np.isnan(b))
    x, y = a[kept].astype(np.float64), b[kept].astype(np.float64)
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def auroc(score: Float[np.ndarray, "n"], label: Bool[np.ndarray, "n"]) -> float:
    """Area under the ROC curve: how often a positive scores above a negative, ties counted half.

    The rank formula of Hanley & McNeil 1982; nan when one of the classes is missing.
    """
    positives, negatives = int(label.sum()), int((~label).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    _, member, sizes = np.unique(score, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - (sizes - 1) / 2
    ranks = middle[member][label].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def bootstrap(
    statistic: Callable[[Int[np.ndarray, "m"]], float],
    groups: Shaped[np.ndarray, "n"],
    level: float = 0.95,
    draws: int = 300,
    seed: int = 0,
) -> Interval:
    """`statistic` of all rows 0 .. n - 1 and its percentile bootstrap interval over whole groups.

    statistic takes row numbers, some more than once. Draws for which it is nan are left out.
    """
    names, member = np.unique(groups, return_inverse=True)
    rows = [np.flatnonzero(member == index) for index in range(len(names))]
    rng = np.random.default_rng(seed)
    chosen = (rng.integers(len(names), size=len(names)) for _ in range(draws))
    drawn = np.array([statistic(np.concatenate([rows[i] for i in some])) for some in chosen])
    whole = statistic(np.arange(len(groups)))
    if np.isnan(whole) or np.isnan(drawn).all():
        return Interval(whole, np.nan, np.nan, 0)
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(whole, float(low), float(high), len(names))


def wilson(hits: int, count: int, z: float = 1.96) -> Interval:
    """A share and its score interval (Wilson 1927), which holds at 0 and 1 too; z: 1.96 for 95 %. nan for count 0."""
    if count == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    share, spread = hits / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * float(np.sqrt(share * (1 - share) / count + spread / (4 * count)))
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0), count)
