"""The protocols of visible-thermal benchmarks against literal loops over the official rules."""

import numpy as np
import pytest

from keras_reid import retrieval
from tests.retrieval import oracles

VISIBLE = {"all": [0, 1, 3, 4], "indoor": [0, 1]}
THERMAL = [2, 5]


def sysu_problem(seed, search, shots):
    """People seen by some cameras only; several images each; the galleries of three trials."""
    rng = np.random.default_rng(seed)
    people = rng.choice(900, rng.integers(4, 9), replace=False)
    query, gallery = (
        [(p, c) for p in people for c in cameras if rng.random() < 0.5 for _ in range(12)]
        for cameras in (THERMAL, VISIBLE[search])
    )
    query_ids, query_cameras = np.array(query)[rng.permutation(len(query))[:25]].T
    gallery_ids, gallery_cameras = np.array(gallery).T
    scores = rng.integers(0, rng.choice([9, 10**6]), (len(query_ids), len(gallery_ids))) / 7
    trials = []
    for _ in range(3):
        rows = [
            rng.permutation(np.flatnonzero((gallery_ids == p) & (gallery_cameras == c)))[:shots]
            for p in people
            for c in VISIBLE[search]
        ]
        trials.append(np.concatenate(rows))
    return scores, query_ids, gallery_ids, query_cameras, gallery_cameras, trials


@pytest.mark.parametrize("search", ["all", "indoor"])
@pytest.mark.parametrize("shots", [1, 10])
def test_sysu_mm01_equals_the_official_rules_on_20_random_problems(search, shots):
    lost = 0
    for seed in range(20):
        *problem, trials = sysu_problem(seed, search, shots)
        scores, query_ids, gallery_ids, query_cameras, gallery_cameras = problem
        found = retrieval.evaluate_trials(scores, trials, *problem[1:], protocol="sysu_mm01", max_rank=20)
        for metrics, rows in zip(found, trials, strict=True):
            expected = oracles.sysu_mm01(
                scores[:, rows], query_ids, gallery_ids[rows], query_cameras, gallery_cameras[rows], max_rank=20
            )
            np.testing.assert_allclose(metrics.cmc, expected[0], atol=1e-9)
            np.testing.assert_allclose(metrics.average_precision, expected[1], atol=1e-9)
            np.testing.assert_allclose(metrics.inverse_negative_penalty, expected[2], atol=1e-9)
            lost += metrics.invalid.get("matches_ignored", 0)
        mean = retrieval.mean_metrics(found)
        np.testing.assert_allclose(mean.cmc, np.mean([each.cmc for each in found], axis=0), atol=1e-12)
    assert lost > 0  # queries whose only matches are at the same place do occur


def test_regdb_equals_the_plain_loop_without_a_camera_rule_on_20_random_problems():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        ids = np.repeat(rng.choice(412, 6, replace=False), 10)
        scores = rng.integers(0, rng.choice([9, 10**6]), (60, 60)) / 7
        visible, thermal = np.zeros(60, int), np.ones(60, int)
        for matrix, cameras in ((scores, (visible, thermal)), (scores.T, (thermal, visible))):
            metrics = retrieval.evaluate_scores(matrix, ids, ids, *cameras, protocol="no_camera")
            expected = oracles.evaluate(matrix, ids, ids, None, None)
            np.testing.assert_allclose(metrics.cmc, expected[0], atol=1e-9)
            np.testing.assert_allclose(metrics.average_precision, expected[3], atol=1e-9)
            np.testing.assert_allclose(metrics.mean_inp, expected[2], atol=1e-9)


def test_cmc_of_identities_counts_each_wrong_person_once_and_ap_every_image():
    metrics = retrieval.evaluate_scores(
        [[0.9, 0.8, 0.7, 0.6]], [1], [2, 2, 3, 1], [5], [0, 1, 3, 4], protocol="sysu_mm01", max_rank=4, top_k=4
    )
    assert metrics.first_match_rank.tolist() == [3.0] and metrics.cmc.tolist() == [0, 0, 1, 1]
    assert metrics.mean_ap == 0.25 and metrics.top_indices.tolist() == [[0, 1, 2, 3]]


def test_sysu_ignores_the_same_place_whoever_is_there():
    rows = [[0.9, 0.8, 0.7]] * 2
    metrics = retrieval.evaluate_scores(rows, [1, 1], [2, 1, 1], [2, 5], [1, 1, 0], protocol="sysu_mm01", top_k=3)
    assert metrics.top_indices.tolist() == [[2, -1, -1], [0, 1, 2]]
    assert metrics.first_match_rank.tolist() == [1.0, 2.0]


def test_sysu_says_why_a_query_cannot_be_judged():
    metrics = retrieval.evaluate_scores([[0.9]], [1], [1], [2], [1], protocol="sysu_mm01")
    assert metrics.notes == (
        "All 1 queries of camera 2 have matches in camera 1 alone, which looks at the same place, which protocol "
        "'sysu_mm01' does not count; the metrics are NaN.",
    )


def test_sysu_needs_cameras():
    with pytest.raises(ValueError, match=r"'sysu_mm01' needs `query_cameras` and `gallery_cameras`. Received: None"):
        retrieval.evaluate_scores([[0.9]], [1], [1], protocol="sysu_mm01")
    own = retrieval.Protocol("by_identity", None, identity_cmc=True)  # has no rule on cameras, so it needs none
    assert retrieval.evaluate_scores([[0.9]], [1], [1], protocol=own).protocol == "by_identity"


@pytest.mark.parametrize("name", ["market1501", "no_camera", "sysu_mm01"])
def test_a_rule_seen_image_by_image_equals_the_rule_worked_out_per_camera(name):
    from keras_reid.retrieval.candidates import Candidates
    from keras_reid.retrieval.problem import Problem

    rng = np.random.default_rng(5)
    labels = [rng.integers(-1, 6, 30), rng.integers(-1, 6, 200), rng.integers(-1, 5, 30), rng.integers(-1, 5, 200)]
    protocol = retrieval.get_protocol(name)
    candidates = Candidates(Problem.checked(*labels, protocol))
    for query, (person, camera) in enumerate(zip(labels[0], labels[2], strict=True)):
        ignored = protocol.ignored(person, camera, labels[1], labels[3])
        matches, left_out = candidates.of(query)
        np.testing.assert_array_equal(matches, np.flatnonzero((labels[1] == person) & ~ignored))
        np.testing.assert_array_equal(np.sort(left_out), np.flatnonzero(ignored))
