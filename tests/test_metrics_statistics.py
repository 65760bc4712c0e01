"""Intervals, correlation and AUROC against known values."""

import numpy as np
import pytest

from wmsim.metrics import auroc, bootstrap, bootstrap_mean, pearson


def test_the_interval_of_a_normal_sample_is_the_textbook_one():
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    interval = bootstrap_mean(values)
    half = 1.96 * values.std() / 20
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.02)
    assert interval.count == 400


def test_grouped_values_are_drawn_together():
    values = np.repeat(np.random.default_rng(2).normal(size=10), 50)
    alone = bootstrap_mean(values)
    grouped = bootstrap_mean(values, np.repeat(np.arange(10), 50))
    assert grouped.count == 10
    assert grouped.mean == pytest.approx(alone.mean)
    assert grouped.high - grouped.low > 4 * (alone.high - alone.low)


def test_nan_is_left_out_and_nothing_gives_nan():
    interval = bootstrap_mean(np.array([1.0, np.nan, 3.0]))
    assert (interval.mean, interval.count) == (2.0, 2)
    empty = bootstrap_mean(np.array([np.nan]))
    assert np.isnan(empty.mean)
    assert (empty.count, str(empty)) == (0, "-")


def test_an_interval_is_the_same_every_time():
    values = np.random.default_rng(3).normal(size=30)
    assert bootstrap_mean(values) == bootstrap_mean(values)


def test_pearson():
    a = np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    assert pearson(a, 2 - 3 * a) == pytest.approx(-1.0)
    assert pearson(a, np.array([1.0, 3.0, 2.0, 4.0, 9.0])) == pytest.approx(0.8)
    assert np.isnan(pearson(a, np.ones(5)))
    assert np.isnan(pearson(a[:2], a[:2]))


def test_auroc_counts_pairs_and_halves_ties():
    score = np.array([0.1, 0.4, 0.35, 0.8])
    label = np.array([False, False, True, True])
    assert auroc(score, label) == pytest.approx(0.75)  # the example of scikit-learn's roc_auc_score
    assert auroc(np.zeros(4), label) == pytest.approx(0.5)
    assert auroc(-score, label) == pytest.approx(0.25)
    rng = np.random.default_rng(0)
    ties, truth = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.3
    difference = ties[truth][:, None] - ties[~truth][None]
    assert auroc(ties, truth) == pytest.approx(((difference > 0) + 0.5 * (difference == 0)).mean())


def test_auroc_of_one_class_is_nan():
    assert np.isnan(auroc(np.arange(3.0), np.zeros(3, bool)))


def test_bootstrap_of_any_statistic_agrees_with_that_of_the_mean():
    values = np.random.default_rng(4).normal(size=(30, 5)).ravel()
    towns = np.repeat(np.arange(30), 5)
    one = bootstrap(lambda rows: float(values[rows].mean()), towns, draws=2000)
    other = bootstrap_mean(values, towns)
    assert one.mean == pytest.approx(other.mean)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.02)


def test_bootstrap_of_an_undefined_statistic_has_no_interval():
    interval = bootstrap(lambda rows: float("nan"), np.arange(4))
    assert np.isnan(interval.low)
    assert interval.count == 0
