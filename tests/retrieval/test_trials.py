import numpy as np
import pytest

from keras_reid import retrieval


def problem(seed=0, queries=9, gallery=40):
    rng = np.random.default_rng(seed)
    scores = rng.random((queries, gallery))
    labels = [rng.integers(0, 5, queries), rng.integers(0, 5, gallery)]
    cameras = [rng.integers(0, 3, queries), rng.integers(0, 3, gallery)]
    trials = [rng.choice(gallery, size, replace=False) for size in (15, 22, 9)]
    return scores, trials, [*labels, *cameras]


def test_each_trial_is_an_evaluation_of_its_gallery_alone():
    scores, trials, labels = problem()
    blocks = (scores[start : start + 4] for start in range(0, 9, 4))
    found = retrieval.evaluate_trials(blocks, trials, *labels, ap="trapezoid", max_rank=7, top_k=3)
    for metrics, rows in zip(found, trials, strict=True):
        alone = retrieval.evaluate_scores(
            scores[:, rows], labels[0], labels[1][rows], labels[2], labels[3][rows], ap="trapezoid", max_rank=7, top_k=3
        )
        assert metrics.to_dict() == alone.to_dict() and metrics.num_gallery == len(rows)
        np.testing.assert_array_equal(metrics.average_precision, alone.average_precision)
        found_rows = metrics.top_indices >= 0
        np.testing.assert_array_equal(metrics.top_indices[found_rows], rows[alone.top_indices[found_rows]])
        queries = np.nonzero(found_rows)[0]
        np.testing.assert_array_equal(scores[queries, metrics.top_indices[found_rows]], metrics.top_scores[found_rows])


def test_top_indices_keep_the_mark_of_an_empty_place():
    (metrics,) = retrieval.evaluate_trials([[0.1, 0.2, 0.9]], [[2, 1]], [1], [1, 1, -1], top_k=2)
    assert metrics.top_indices.tolist() == [[1, -1]]


def test_the_mean_is_over_trials_and_over_those_in_which_a_query_is_valid():
    found = retrieval.evaluate_trials(
        [[0.9, 0.8, 0.1], [0.5, 0.6, 0.9]], [[0, 1], [2, 1], [0, 2]], [1, 2], [3, 1, 2], max_rank=2
    )
    mean = retrieval.mean_metrics(found)
    # Query 0: second of two, first of two, absent. Query 1: absent, first, first.
    assert mean.mean_ap == pytest.approx((0.5 + 1.0 + 1.0) / 3)
    assert mean.cmc.tolist() == pytest.approx([2 / 3, 1.0])
    np.testing.assert_allclose(mean.average_precision, [0.75, 1.0])
    np.testing.assert_allclose(mean.first_match_rank, [1.5, 1.0])
    assert mean.valid_queries + sum(mean.invalid.values()) == mean.num_queries == 2
    assert mean.notes == (
        "1 of 2 queries have no image of their identity in the gallery; left out of the metrics.",
        "The 3 trials have 1 to 2 valid queries.",
    )


def test_the_mean_of_one_is_itself_and_a_query_never_valid_stays_nan():
    metrics = retrieval.evaluate_scores([[0.9, 0.8], [0.1, 0.2]], [1, 7], [2, 1])
    mean = retrieval.mean_metrics([metrics, metrics])
    assert mean.to_dict() == metrics.to_dict()
    np.testing.assert_array_equal(mean.average_precision, [0.5, np.nan])


@pytest.mark.parametrize(
    ("trials", "sentence"),
    [
        ([], "`trials` must name the gallery rows of at least one trial. Received: none"),
        ([[0], [0, 3]], r"`trials\[1\]` must name rows of the gallery, 0 to 2. Received: 0 to 3"),
        ([np.zeros(0, int)], r"`trials\[0\]` must name rows of the gallery, 0 to 2. Received: none"),
        ([[0.5]], r"`trials\[0\]` must be a 1-d array of integers"),
    ],
)
def test_bad_trials_say_what_they_must_be(trials, sentence):
    with pytest.raises(ValueError, match=sentence):
        retrieval.evaluate_trials([[0.9, 0.8, 0.1]], trials, [1], [3, 1, 2])


def test_only_metrics_of_one_experiment_have_a_mean():
    one = retrieval.evaluate_scores([[0.9]], [1], [1])
    other = retrieval.evaluate_scores([[0.9]], [1], [1], ap="trapezoid")
    with pytest.raises(ValueError, match=r"same AP.*Received.*\(1, 'step', 'no_camera', 50\), \(1, 'trapezoid'"):
        retrieval.mean_metrics([one, other])
    with pytest.raises(ValueError, match="at least one trial. Received: none"):
        retrieval.mean_metrics([])
