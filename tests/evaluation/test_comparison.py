import dataclasses

import numpy as np
import pytest

from keras_reid.evaluation import compare
from tests.evaluation.results import random_report


def test_a_better_model_is_found_better():
    worse, better = random_report(1.0), random_report(2.0)
    found = compare(worse, better)
    assert (found.first, found.second) == (worse.mean_ap, better.mean_ap)
    assert found.difference == better.mean_ap - worse.mean_ap > 0
    assert 0 < found.low < found.difference < found.high
    assert found.contrary == 0 and found.worse == 0 and found.better > 0.5
    assert "In none of 1000 draws of 40 identities" in str(found)
    back = compare(better, worse)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert (back.better, back.worse) == (found.worse, found.better)


def test_pairing_makes_the_interval_narrower_than_two_apart():
    worse, better = random_report(1.0), random_report(1.3)
    found, apart = compare(worse, better), [report.confidence() for report in (worse, better)]
    assert apart[0].high > apart[1].low  # one would say: no difference to be seen
    assert found.low > 0
    assert found.high - found.low < min(interval.high - interval.low for interval in apart) / 2


def test_the_same_model_twice_is_no_difference():
    report = random_report(1.0)
    found = compare(report, report, "rank1", samples=50)
    assert (found.difference, found.low, found.high, found.better, found.worse) == (0, 0, 0, 0, 0)
    assert found.contrary == 1
    assert "In 50 of 50 draws" in str(found) and "100 % equal" in str(found)


def test_chance_differences_leave_zero_inside():
    """Two models that differ by noise: an interval at 90 % holds zero in most cases, and not in all."""
    inside = []
    for seed in range(40):
        first = random_report(1.0, seed)
        noise = np.random.default_rng(seed).normal(size=first.metrics.num_queries) * 0.05
        precision = first.metrics.average_precision + noise
        metrics = dataclasses.replace(first.metrics, average_precision=precision, mean_ap=precision.mean())
        found = compare(first, dataclasses.replace(first, metrics=metrics), level=0.9, samples=300)
        inside.append(found.low <= 0 <= found.high)
    assert 0.75 <= np.mean(inside) < 1


def test_reports_must_answer_the_same_question():
    report = random_report(1.0)
    with pytest.raises(ValueError, match=r"query images must be the same.*120 and 6 images. Evaluate both"):
        compare(report, random_report(1.0, identities=2))
    path = report.gallery.path.copy()
    path[2] = "/other.jpg"
    other = dataclasses.replace(report, gallery=dataclasses.replace(report.gallery, path=path))
    with pytest.raises(ValueError, match=r"gallery images must be the same.*'/g2.jpg' and '/other.jpg' in row 2"):
        compare(report, other)
    trapezoid = dataclasses.replace(report, metrics=dataclasses.replace(report.metrics, ap="trapezoid"))
    with pytest.raises(ValueError, match=r"one kind of average precision.*'step', 0\) and .*'trapezoid', 0\)"):
        compare(report, trapezoid)
    with pytest.raises(ValueError, match=r"the same trials"):
        compare(report, dataclasses.replace(report, trials=(report.metrics,)))
