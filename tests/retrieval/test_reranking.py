import numpy as np
import pytest

from keras_reid import retrieval
from keras_reid.retrieval.reranking import RERANK_VARIANTS
from tests.retrieval import oracles


def people(queries, gallery, identities, seed=0, noise=1.0, width=16):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(identities, width))
    ids = rng.integers(0, identities, queries), rng.integers(0, identities, gallery)
    features = [centres[i] + noise * rng.normal(size=(len(i), width)) for i in ids]
    return *features, *ids


@pytest.mark.parametrize("variant", sorted(RERANK_VARIANTS))
@pytest.mark.parametrize("options", [{}, {"k1": 7, "k2": 1, "lambda_value": 0.0}])
def test_equals_the_dense_algorithm(variant, options):
    query, gallery, *_ = people(20, 90, 12)
    ours = retrieval.rerank(query, gallery, variant=variant, **options)
    expected = 1.0 - oracles.rerank(query, gallery, variant=variant, **options)
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert ours.dtype == np.float32


def test_variants_are_different_things():
    query, gallery, *_ = people(20, 90, 12)
    results = [retrieval.rerank(query, gallery, variant=name) for name in RERANK_VARIANTS]
    for i, one in enumerate(results):
        for other in results[i + 1 :]:
            assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(("queries", "size"), [(40, 240), pytest.param(500, 3000, marks=pytest.mark.slow)])
def test_equals_the_dense_algorithm_on_larger_sets(queries, size):
    query, gallery, *_ = people(queries, size, size // 10, width=64, noise=1.5)
    ours = retrieval.rerank(query, gallery)
    np.testing.assert_allclose(ours, 1.0 - oracles.rerank(query, gallery), atol=1e-5)


def test_fewer_items_than_neighbours():
    query, gallery, *_ = people(2, 5, 2)
    expected = 1.0 - oracles.rerank(query, gallery)
    np.testing.assert_allclose(retrieval.rerank(query, gallery), expected, atol=1e-5)


def test_a_scorer_that_is_not_symmetric():
    query, gallery, *_ = people(15, 60, 8)

    def score(a, b):
        return retrieval.cosine_similarity(a, b) * (1.0 + 0.2 * a[:, :1]) / (1.0 + abs(b[:, 0]))

    ours = retrieval.rerank(query, gallery, score=score)
    np.testing.assert_allclose(ours, 1.0 - oracles.rerank(query, gallery, score=score), atol=1e-5)


def test_scores_at_hand_are_not_computed_again():
    query, gallery, *_ = people(10, 40, 5)
    seen = []

    def score(a, b):
        seen.append((len(a), len(b)))
        return retrieval.cosine_similarity(a, b)

    scores = retrieval.cosine_similarity(query, gallery)
    ours = retrieval.rerank(query, gallery, score=score, scores=scores)
    np.testing.assert_allclose(ours, retrieval.rerank(query, gallery), atol=1e-6)
    assert (10, 40) not in seen and (10, 10) in seen and (40, 40) in seen


def test_improves_a_hard_ranking():
    query, gallery, query_ids, gallery_ids = people(60, 600, 50, noise=1.2, width=24)
    plain = retrieval.evaluate_features(query, gallery, query_ids, gallery_ids)
    better = retrieval.evaluate_scores(retrieval.rerank(query, gallery), query_ids, gallery_ids)
    assert better.mean_ap > plain.mean_ap + 0.05


def test_duplicates_of_one_image_only():
    same = np.ones((3, 4))
    assert np.isfinite(retrieval.rerank(same, same)).all()


def test_jaccard_within_one_set_equals_the_dense_algorithm():
    features, *_ = people(80, 1, 10, noise=0.3)
    ours = retrieval.k_reciprocal_jaccard(features, k1=5, k2=3)
    dense = oracles.jaccard(1.0 - retrieval.cosine_similarity(features, features), 5, 3)
    np.testing.assert_allclose(1.0 - ours.toarray(), dense, atol=1e-5)
    assert ours.nnz < 80 * 80 / 2
    assert abs(ours - ours.T).max() < 1e-6


def test_post_processing_a_ranking():
    query, gallery, query_ids, gallery_ids = people(10, 40, 5)
    scores = retrieval.cosine_similarity(query, gallery)
    ranking = retrieval.Ranking(scores, query_ids, gallery_ids, query_features=query, gallery_features=gallery)
    again = retrieval.Rerank(k1=10, k2=3)(ranking)
    np.testing.assert_allclose(again.scores, retrieval.rerank(query, gallery, 10, 3), atol=1e-6)
    np.testing.assert_array_equal(ranking.scores, scores)
    with pytest.raises(ValueError, match=r"not those of its `score` function.*Put Rerank first"):
        retrieval.Rerank()(ranking.with_scores(scores / 2))
    with pytest.raises(ValueError, match="needs `query_features` and `gallery_features`"):
        retrieval.Rerank()(retrieval.Ranking(scores, query_ids, gallery_ids))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"k1": 0}, "`k1` must be an integer of at least 1"),
        ({"k1": 3, "k2": 4}, r"`k2` must not exceed `k1`.*k1=3, k2=4"),
        ({"lambda_value": 1.5}, r"`lambda_value` must lie in \[0, 1\].*1.5"),
        ({"variant": "zhong"}, "Unknown re-ranking variant 'zhong'. Did you mean 'zhong2017'"),
        ({"scores": np.zeros((2, 2))}, r"`scores` must have shape .* \(2, 3\).*\(2, 2\)"),
        ({"scores": np.zeros((1, 3))}, r"`scores` must have shape .* \(2, 3\).*\(1, 3\)"),
        ({"query_features": np.zeros((0, 4))}, "at least one query and one gallery image"),
        ({"query_features": np.full((2, 4), np.nan)}, "must not be NaN.*items 0 to 1"),
        ({"score": lambda a, b: np.full((len(a), len(b)), 5.0)}, "at most 1.*least being 5"),
    ],
)
def test_bad_arguments_say_what_to_do(options, sentence):
    given = {"query_features": np.eye(2, 4), "gallery_features": np.eye(3, 4)} | options
    with pytest.raises(ValueError, match=sentence):
        retrieval.rerank(**given)
