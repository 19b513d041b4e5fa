import numpy as np
import pytest

from keras_reid import retrieval


def ranking(**fields):
    given = {"scores": np.array([[0.1, 0.9, 0.9]]), "query_ids": [1], "gallery_ids": [1, 2, 1]}
    return retrieval.Ranking(**(given | fields))


def test_is_frozen_and_leaves_the_callers_array_alone():
    scores = np.zeros((1, 3))
    frozen = ranking(scores=scores)
    with pytest.raises(ValueError, match="read-only"):
        frozen.scores[0, 0] = 1.0
    with pytest.raises(AttributeError):
        frozen.scores = scores
    scores[0, 0] = 2.0
    assert scores.flags.writeable and np.shares_memory(scores, frozen.scores)


def test_top_is_in_a_defined_order():
    assert ranking().top(2).tolist() == [[1, 2]]
    assert ranking().top(9).tolist() == [[1, 2, 0]]
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 4, (20, 50)) / 4
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :7]
    many = retrieval.Ranking(scores, np.arange(20), np.arange(50))
    np.testing.assert_array_equal(many.top(7), expected)


def test_metrics_are_those_of_the_scores():
    cameras = {"query_cameras": [0], "gallery_cameras": [1, 1, 0]}
    metrics = ranking(**cameras).metrics(ap="trapezoid", max_rank=3, top_k=1)
    expected = retrieval.evaluate_scores(
        [[0.1, 0.9, 0.9]], [1], [1, 2, 1], [0], [1, 1, 0], ap="trapezoid", max_rank=3, top_k=1
    )
    assert metrics.to_dict() == expected.to_dict() and metrics.top_indices.tolist() == [[1]]


def test_with_scores_keeps_the_rest():
    lifted = ranking(query_times=[5], gallery_times=[1, 2, 3]).with_scores(np.zeros((1, 3)))
    assert lifted.query_times.dtype == np.float64 and not lifted.scores.any()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scores": np.zeros((2, 3))}, r"`scores` must have shape .* = \(1, 3\).*\(2, 3\)"),
        ({"scores": np.zeros((1, 2))}, r"`scores` must have shape .* = \(1, 3\).*\(1, 2\)"),
        ({"scores": [[0.0, np.nan, 0.0]]}, "`scores` must not be NaN.*row of query 0"),
        ({"gallery_cameras": [1]}, "`gallery_cameras` must have 3 entries"),
        ({"query_times": [1.0, 2.0]}, "`query_times` must be 1 numbers, in seconds"),
        ({"query_features": np.zeros((2, 4))}, "`query_features` must have 1 rows"),
        ({"query_ids": [1.5]}, "`query_ids` must be a 1-d array of integers"),
    ],
)
def test_bad_fields_say_what_to_do(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        ranking(**fields)


def test_top_needs_a_positive_k():
    with pytest.raises(ValueError, match="`k` must be an integer of at least 1"):
        ranking().top(0)
