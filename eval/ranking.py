"""Do two judges rank policies alike? Correlations, rank violations and what a wrong choice would cost.

Shape legend: N policies, E paired episodes of each; `truth` is what the real thing says, `score` what the model of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from wmsim.metrics import Interval, pearson

Array = np.ndarray[Any, Any]


def spearman(score: Array, truth: Array) -> float:
    """Pearson's correlation of the mid-ranks."""
    return pearson(stats.rankdata(score), stats.rankdata(truth))


def kendall(score: Array, truth: Array) -> float:
    """Kendall's tau-b, -1 to 1; nan where one side does not vary."""
    return float(stats.kendalltau(score, truth).statistic)


def mmrv(score: Array, truth: Array) -> float:
    """Mean maximum rank violation (SIMPLER, Li et al., arXiv 2405.05941), in units of `truth`; 0 is best.

    For each policy the largest difference in truth to one that it is ranked wrongly against.
    """
    wrong = np.greater.outer(score, score) != np.greater.outer(truth, truth)
    return float((np.abs(np.subtract.outer(truth, truth)) * wrong).max(1).mean())


def regret(score: Array, truth: Array) -> float:
    """By how much, in truth, the best policy beats the one that the score would choose."""
    return float(truth.max() - truth[np.argmax(score)])


def bias(score: Array, truth: Array) -> float:
    """By how much the score is above the truth on average."""
    return float((score - truth).mean())


def phi(score: Array, truth: Array) -> float:
    """Correlation of two yes-or-no verdicts on the same episodes, -1 to 1; nan where one side does not vary."""
    return pearson(score.astype(float), truth.astype(float))


STATISTICS: Mapping[str, Callable[[Array, Array], float]] = {
    "Pearson": pearson,
    "Spearman": spearman,
    "Kendall": kendall,
    "MMRV": mmrv,
    "regret": regret,
    "bias": bias,
}
"""Statistics of N scores against N truths, by name."""


def agreement(score: Array, truth: Array, draws: int = 500, seed: int = 0) -> dict[str, Interval]:
    """Every one of STATISTICS on the policies' means, with 95 % percentile bootstrap intervals.

    score, truth: (N, E), column e of both is the same episode. Each draw takes N policies and E episodes anew, so the
    interval speaks of other policies and other episodes; pairs stay together. ValueError for other shapes.
    """
    if score.shape != truth.shape or score.ndim != 2 or score.shape[0] < 3:
        raise ValueError(f"score and truth are (N, E) alike with N >= 3 policies, got {score.shape} and {truth.shape}")
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(draws):
        rows, columns = (rng.integers(size, size=size) for size in score.shape)
        few = score[np.ix_(rows, columns)].mean(1), truth[np.ix_(rows, columns)].mean(1)
        drawn.append([_quiet(statistic, *few) for statistic in STATISTICS.values()])
    low, high = np.nanquantile(np.array(drawn), [0.025, 0.975], axis=0)
    whole = score.mean(1), truth.mean(1)
    return {
        name: Interval(_quiet(statistic, *whole), float(low[i]), float(high[i]), len(score))
        for i, (name, statistic) in enumerate(STATISTICS.items())
    }


def _quiet(statistic: Callable[[Array, Array], float], score: Array, truth: Array) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        return statistic(score, truth)


def statistics(score: Array, truth: Array) -> dict[str, float]:
    """Every one of STATISTICS of two rows of N numbers."""
    return {name: _quiet(statistic, score, truth) for name, statistic in STATISTICS.items()}


def without_each(score: Array, truth: Array, families: Sequence[str]) -> dict[str, dict[str, float]]:
    """STATISTICS of the policies' means (N,) with one family of policies left out at a time, by its name."""
    names = np.asarray(families)
    return {str(left): statistics(score[names != left], truth[names != left]) for left in dict.fromkeys(families)}
