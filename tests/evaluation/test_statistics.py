import dataclasses

import numpy as np
import pytest

from keras_reid.evaluation.statistics import drawn_means, interval_of, metric_title, values_per_query
from tests.evaluation.results import random_report


def test_values_per_query_average_to_the_metrics():
    report = random_report(1.0)
    for metric in ("mean_ap", "mean_inp", "rank1", "rank7"):
        assert np.nanmean(values_per_query(report.metrics, metric)) == pytest.approx(report.value(metric))
    assert [metric_title(name) for name in ("mean_inp", "rank10")] == ["mINP", "rank-10"]


def test_drawn_means_are_those_of_a_loop():
    rng = np.random.default_rng(1)
    identities = rng.integers(5, size=30)
    values = rng.random((30, 2))
    values[[3, 4], 0] = np.nan
    values[7] = np.nan
    means, count = drawn_means(values, identities, samples=20, seed=3)
    assert count == len(np.unique(identities))
    generator = np.random.default_rng(3)
    for mean, drawn in zip(means, generator.integers(5, size=(20, 5)), strict=True):
        rows = np.concatenate([np.flatnonzero(identities == person) for person in drawn])
        assert mean == pytest.approx(np.nanmean(values[rows], axis=0).mean())


def test_draws_do_not_depend_on_the_block(monkeypatch):
    values, identities = np.random.default_rng(0).random((20, 1)), np.arange(20) // 2
    whole, _ = drawn_means(values, identities, samples=50, seed=0)
    monkeypatch.setattr("keras_reid.evaluation.statistics._DRAWN_AT_ONCE", 35)
    np.testing.assert_allclose(drawn_means(values, identities, samples=50, seed=0)[0], whole, rtol=1e-12)


def test_identities_are_drawn_and_not_queries():
    """Ten queries that always agree are one observation: the interval is as wide as with one query each."""
    one = np.random.default_rng(0).random((50, 1))
    ten = np.repeat(one, 10, axis=0)
    narrow, _ = drawn_means(one, np.arange(50), 4000, seed=0)
    same, _ = drawn_means(ten, np.repeat(np.arange(50), 10), 4000, seed=0)
    np.testing.assert_allclose(same, narrow)
    assert same.std() == pytest.approx(one.std() / np.sqrt(50), rel=0.05)


def test_intervals_cover_what_they_say():
    """Of intervals at 80 %, about 80 % hold the mean that the identities were drawn around."""
    inside = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        identities = np.repeat(np.arange(40), rng.integers(1, 8, size=40))
        values = rng.normal(size=40)[identities] + 0.3 * rng.normal(size=len(identities))
        low, high = interval_of(drawn_means(values[:, None], identities, 300, seed)[0], level=0.8)
        inside.append(low <= 0 <= high)
    assert 0.7 <= np.mean(inside) <= 0.88


def test_confidence_is_seeded_and_holds_the_value():
    report = random_report(1.0)
    interval = report.confidence("rank1", samples=200, seed=5)
    assert interval == report.confidence("rank1", samples=200, seed=5)
    assert interval != report.confidence("rank1", samples=200, seed=6)
    assert interval.value == report.rank(1) and interval.low < interval.value < interval.high
    wider = report.confidence("rank1", level=0.99, samples=200, seed=5)
    assert wider.low < interval.low and interval.high < wider.high
    assert str(interval).startswith("rank-1 ") and str(interval).endswith("over 40 identities)")


def test_confidence_over_trials_takes_the_mean_of_each_trial():
    report = random_report(1.0)
    other = random_report(2.0)
    mean = dataclasses.replace(report.metrics, mean_ap=(report.mean_ap + other.mean_ap) / 2)
    both = dataclasses.replace(report, metrics=mean, trials=(report.metrics, other.metrics))
    interval = both.confidence(samples=100)
    assert report.confidence(samples=100).low < interval.low < other.confidence(samples=100).low
    assert both.values_per_query("mean_ap").shape == (120, 2)


def test_bad_arguments():
    report = random_report(1.0)
    with pytest.raises(ValueError, match=r"`level` must lie between 0 and 1, e.g. 0.95. Received: 95"):
        report.confidence(level=95)
    with pytest.raises(ValueError, match=r"`samples` must be an integer of at least 1"):
        report.confidence(samples=0)
    with pytest.raises(ValueError, match=r"Unknown metric 'mAP'. Known: mean_ap"):
        report.confidence("mAP")
    with pytest.raises(ValueError, match=r"needs at least 2 with a query that counts. Received: 1"):
        random_report(1.0, identities=1).confidence()
    assert interval_of(np.arange(11.0), 0.8) == pytest.approx((1, 9))
