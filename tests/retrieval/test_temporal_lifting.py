import numpy as np
import pytest

from keras_reid import retrieval
from tests.retrieval import oracles


def network(queries, gallery, cameras, seed=0, levels=None, span=2000.0):
    rng = np.random.default_rng(seed)
    scores = rng.random((queries, gallery)) ** 4
    if levels:
        scores = np.round(scores * levels) / levels
    sides = [(rng.integers(0, cameras, n), rng.random(n) * span) for n in (queries, gallery)]
    return scores, *sides[0], *sides[1]


@pytest.mark.parametrize("seed", range(12))
def test_equals_the_literal_loop(seed):
    rng = np.random.default_rng(seed)
    given = network(rng.integers(1, 60), rng.integers(1, 120), 4, seed, levels=[None, 5, 40][seed % 3])
    given[2][:], given[4][:] = given[2].round(-1), given[4].round(-1)  # some are just tau apart
    options = {"tau": float(rng.choice([20, 300])), "k": int(rng.choice([1, 4, 30])), "alpha": 0.1}
    expected = oracles.temporal_lift(*given, **options)
    np.testing.assert_allclose(retrieval.temporal_lift(*given, **options), expected, atol=1e-9)


def test_more_columns_than_a_block_and_single_precision():
    scores, *rest = network(30, 1500, 2)
    lifted = retrieval.temporal_lift(scores.astype(np.float32), *rest)
    assert lifted.dtype == np.float32
    np.testing.assert_allclose(lifted, oracles.temporal_lift(scores, *rest), atol=1e-5)


def test_companions_lift_the_right_image():
    # Two people walk together from camera 0 to camera 1; only one is easy to recognise.
    scores = np.array([[0.9, 0.0, 0.0], [0.0, 0.30, 0.31]])
    cameras, times = np.array([1, 1, 1]), np.array([500.0, 502.0, 5000.0])
    lifted = retrieval.temporal_lift(scores, [0, 0], [0.0, 2.0], cameras, times, k=1)
    assert scores[1].argmax() == 2 and lifted[1].argmax() == 1


def test_a_query_alone_in_its_camera_and_unseen_cameras():
    given = (np.array([[0.5, 0.2]]), np.array([7]), np.array([0.0]), np.array([0, 3]))
    lifted = retrieval.temporal_lift(*given, np.array([10.0, 20.0]))
    np.testing.assert_allclose(lifted, [[0.6, 0.24]])  # each image is its own pivot: p = 1


def test_post_processing_a_ranking():
    scores, *given = network(10, 30, 3)
    names = ("query_cameras", "query_times", "gallery_cameras", "gallery_times")
    fields = dict(zip(names, given, strict=True))
    ranking = retrieval.Ranking(scores, np.arange(10), np.arange(30), **fields)
    lifted = retrieval.TemporalLift(tau=50.0)(ranking)
    np.testing.assert_allclose(lifted.scores, retrieval.temporal_lift(scores, *given, tau=50.0))
    bare = retrieval.Ranking(scores, np.arange(10), np.arange(30), query_cameras=given[0])
    with pytest.raises(ValueError, match=r"has no `query_times`, `gallery_cameras`, `gallery_times`"):
        retrieval.TemporalLift()(bare)


def test_after_reranking_scores_are_fit_for_lifting():
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(10, 6)), rng.normal(size=(40, 6))
    ranking = retrieval.Ranking(
        retrieval.cosine_similarity(query, gallery),
        np.arange(10),
        np.arange(40),
        *([0] * 10, [1] * 40, range(10), range(40)),
        query_features=query,
        gallery_features=gallery,
    )
    for step in (retrieval.Rerank(), retrieval.TemporalLift()):
        ranking = step(ranking)
    assert np.isfinite(ranking.scores).all() and ranking.scores.min() >= -1e-6


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"scores": [[-0.5, 0.1]]}, r"non-negative and not NaN.*-0.5.*Re-rank first"),
        ({"scores": [[np.nan, 0.1]]}, "non-negative and not NaN"),
        ({"scores": [[0.1]]}, r"`scores` must have shape .* \(1, 2\).*\(1, 1\)"),
        ({"gallery_times": [0.0, np.nan]}, "capture time of every image.*1 of 2 gallery images"),
        ({"query_cameras": [-1]}, "camera of every image.*1 of 1 query images"),
        ({"gallery_times": [0.0]}, "`gallery_times` must be 2 numbers, in seconds"),
        ({"tau": 0.0}, "`tau` must be a positive number of seconds"),
        ({"sigma": -1.0}, "`sigma` must be a positive number of seconds"),
        ({"k": 0}, "`k` must be an integer of at least 1"),
        ({"alpha": -0.1}, "`alpha` must not be negative"),
    ],
)
def test_bad_arguments_say_what_to_do(options, sentence):
    given = {
        "scores": [[0.1, 0.2]],
        "query_cameras": [0],
        "query_times": [0.0],
        "gallery_cameras": [0, 1],
        "gallery_times": [0.0, 1.0],
    }
    with pytest.raises(ValueError, match=sentence):
        retrieval.temporal_lift(**(given | options))
