import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from keras_reid import retrieval
from keras_reid.retrieval.average_precision import judge_query
from tests.retrieval import oracles


def random_problem(seed):
    rng = np.random.default_rng(seed)
    queries, gallery = rng.integers(1, 9), rng.integers(1, 40)
    people, cameras = rng.integers(1, 7), rng.integers(1, 4)
    levels = rng.choice([4, 30, 10**6])  # few levels: many ties
    scores = rng.integers(0, levels, (queries, gallery)) / levels
    scores = scores.astype(rng.choice(["float16", "float32", "float64"]))
    labels = [rng.integers(-1, people, n) for n in (queries, gallery)]  # -1 is junk
    cams = [rng.integers(-1, cameras, n) for n in (queries, gallery)]
    if seed % 5 == 0:
        cams = [None, None]
    return scores, *labels, *cams


@pytest.mark.parametrize("ap", ["step", "trapezoid"])
def test_equals_plain_loops_on_200_random_problems(ap):
    unjudged = 0
    for seed in range(200):
        scores, query_ids, gallery_ids, query_cameras, gallery_cameras = random_problem(seed)
        junk_query = query_ids == -1
        expected = oracles.evaluate(scores, query_ids, gallery_ids, query_cameras, gallery_cameras, ap)
        metrics = retrieval.evaluate_scores(scores, query_ids, gallery_ids, query_cameras, gallery_cameras, ap=ap)
        np.testing.assert_allclose(metrics.cmc, expected[0], atol=1e-9)
        np.testing.assert_allclose(metrics.mean_ap, expected[1], atol=1e-9)
        np.testing.assert_allclose(metrics.mean_inp, expected[2], atol=1e-9)
        np.testing.assert_allclose(metrics.average_precision, expected[3], atol=1e-9)
        assert metrics.valid_queries + sum(metrics.invalid.values()) == len(query_ids)
        assert metrics.invalid.get("junk", 0) == junk_query.sum()
        unjudged += sum(metrics.invalid.values())
    assert unjudged > 100  # the problems do contain what they should


def test_step_ap_is_scikit_learns_with_ties():
    rng = np.random.default_rng(0)
    row, match = rng.integers(0, 5, 60) / 5, rng.random(60) < 0.2
    result = judge_query(row, np.flatnonzero(match), np.zeros(0, int))
    assert result.average_precision == pytest.approx(average_precision_score(match, row), abs=1e-12)


def test_many_matches_take_the_other_way_to_the_same_numbers():
    rng = np.random.default_rng(1)
    scores = (rng.integers(0, 400, (2, 900)) / 400).astype("float32")
    ids = rng.integers(0, 2, 900)  # ~450 matches a query
    for ap in ("step", "trapezoid"):
        expected = oracles.evaluate(scores, [0, 1], ids, None, None, ap)
        metrics = retrieval.evaluate_scores(scores, [0, 1], ids, ap=ap)
        np.testing.assert_allclose(metrics.average_precision, expected[3], atol=1e-9)
        assert metrics.mean_inp == pytest.approx(expected[2], abs=1e-9)


def test_order_of_the_gallery_does_not_matter_when_scores_tie():
    rng = np.random.default_rng(2)
    scores, ids = rng.integers(0, 3, (4, 30)) / 3, rng.integers(0, 4, 30)
    one = retrieval.evaluate_scores(scores, [0, 1, 2, 3], ids)
    order = rng.permutation(30)
    two = retrieval.evaluate_scores(scores[:, order], [0, 1, 2, 3], ids[order])
    assert repr(one) == repr(two)
    np.testing.assert_array_equal(one.cmc, two.cmc)


def test_a_tie_is_never_resolved_in_favour_of_the_model():
    metrics = retrieval.evaluate_scores([[0.5, 0.5, 0.5]], [1], [1, 2, 1])
    assert metrics.first_match_rank.tolist() == [2.0]
    assert metrics.mean_inp == pytest.approx(2 / 3)
    assert metrics.mean_ap == pytest.approx(2 / 3)
    # Tied matches alone are the first and the second, not both the second.
    assert retrieval.evaluate_scores([[0.5, 0.1, 0.5]], [1], [1, 2, 1]).rank(1) == 1.0


def test_infinite_scores_and_integers_are_allowed():
    metrics = retrieval.evaluate_scores([[np.inf, -np.inf, 0.0]], [1], [1, 1, 2])
    assert metrics.mean_ap == pytest.approx((1 + 2 / 3) / 2)
    assert retrieval.evaluate_scores([[3, 1, 2]], [1], [1, 1, 2]).mean_ap == metrics.mean_ap


def test_blocks_and_features_equal_the_matrix():
    rng = np.random.default_rng(3)
    query, gallery = rng.normal(size=(11, 6)), 5.0 * rng.normal(size=(30, 6))
    ids, cameras = (
        (rng.integers(0, 5, 11), rng.integers(0, 5, 30)),
        (
            rng.integers(0, 3, 11),
            rng.integers(0, 3, 30),
        ),
    )
    scores = retrieval.cosine_similarity(query, gallery)
    whole = retrieval.evaluate_scores(scores, *ids, *cameras, top_k=4)
    blocks = (scores[i : i + 4] for i in range(0, 11, 4))
    streamed = retrieval.evaluate_scores(blocks, *ids, *cameras, top_k=4)
    features = retrieval.evaluate_features(query, gallery, *ids, *cameras, top_k=4, block_rows=3)
    for other in (streamed, features):
        assert other.to_dict() == whole.to_dict()
        np.testing.assert_array_equal(other.top_indices, whole.top_indices)


def test_one_camera_only_gives_nan_counts_and_a_sentence():
    metrics = retrieval.evaluate_scores(np.eye(3), [1, 2, 3], [1, 2, 3], [0] * 3, [0] * 3)
    assert np.isnan(metrics.mean_ap) and np.isnan(metrics.cmc).all() and metrics.valid_queries == 0
    assert metrics.invalid == {"matches_ignored": 3}
    assert metrics.notes == (
        "All 3 queries share camera 0 with their matches, which protocol 'market1501' does not "
        "count; the metrics are NaN. Without cameras (query_cameras=None, gallery_cameras=None) "
        "they do count.",
    )
    assert retrieval.evaluate_scores(np.eye(3), [1, 2, 3], [1, 2, 3]).mean_ap == 1.0
    assert json.loads(json.dumps(metrics.to_dict(), allow_nan=False))["mean_ap"] is None


def test_unjudged_queries_are_counted_by_reason_and_named():
    metrics = retrieval.evaluate_scores(
        np.zeros((5, 4)), [1, 2, 3, 9, -1], [1, 2, 3, -1], [0, 1, 2, 0, 0], [1, 1, 2, 0]
    )
    assert metrics.invalid == {"identity_not_in_gallery": 1, "junk": 1, "matches_ignored": 2}
    assert metrics.notes == (
        "1 of 5 queries have no image of their identity in the gallery; left out of the metrics.",
        "1 of 5 queries are junk (identity -1); left out of the metrics.",
        "2 of 5 queries share cameras 1 and 2 with their matches, which protocol 'market1501' does "
        "not count; left out of the metrics. Without cameras (query_cameras=None, "
        "gallery_cameras=None) they do count.",
    )
    many = retrieval.evaluate_scores(np.zeros((6, 6)), *[range(6)] * 4)
    assert "cameras 0, 1, 2, 3 and 2 more" in many.notes[0]


def test_unknown_cameras_are_not_the_same_camera():
    assert retrieval.evaluate_scores(np.eye(2), [1, 2], [1, 2], [-1, -1], [-1, -1]).mean_ap == 1.0


def test_top_k_leaves_ignored_images_out():
    metrics = retrieval.evaluate_scores([[0.9, 0.8, 0.7, 0.8]], [1], [1, -1, 1, 2], [0], [0, 0, 1, 0], top_k=3)
    assert metrics.top_indices.tolist() == [[3, 2, -1]]
    np.testing.assert_allclose(metrics.top_scores, [[0.8, 0.7, np.nan]])
    assert retrieval.evaluate_scores([[0.1]], [1], [1]).top_indices is None


def test_a_protocol_of_your_own():
    def skips_a_place(same_identity, query_camera, gallery_cameras):
        return (gallery_cameras == 1) & (query_camera == 2)

    protocol = retrieval.Protocol("places", skips_a_place, "in {camera} see only their own place")
    metrics = retrieval.evaluate_scores([[0.9, 0.5, 0.4]], [1], [2, 1, 3], [2], [1, 0, 0], protocol=protocol)
    assert metrics.rank(1) == 1.0 and metrics.protocol == "places"
    alone = retrieval.evaluate_scores([[0.9]], [1], [1], [2], [1], protocol=protocol)
    assert alone.notes[0].startswith("All 1 queries in camera 2 see only their own place")


def test_rank_outside_the_curve():
    metrics = retrieval.evaluate_scores([[1.0]], [1], [1], max_rank=5)
    assert metrics.rank(5) == 1.0
    with pytest.raises(ValueError, match=r"reaches rank 5. Received: k=6. Evaluate with a larger"):
        metrics.rank(6)


def evaluate(scores=((0.1, 0.2),), query_ids=(1,), gallery_ids=(1, 2), **options):
    return retrieval.evaluate_scores(scores, np.array(query_ids), np.array(gallery_ids), **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"scores": np.zeros((2, 1))}, r"shape \[queries, gallery\] = \(1, 2\).*shape \(2, 1\)"),
        ({"scores": np.zeros((2, 2))}, r"= \(1, 2\).*at least 2 rows"),
        ({"scores": iter(())}, r"= \(1, 2\).*Received: 0 rows"),
        ({"scores": [[np.nan, 1.0]]}, "must not be NaN. Received: 1 NaN in the row of query 0"),
        ({"query_ids": ["a"]}, "`query_ids` must be a 1-d array of integers.*return_inverse"),
        ({"query_ids": np.zeros(0, int)}, "at least one query and one gallery image.*0 and 2"),
        ({"query_cameras": [0]}, "Only `query_cameras` was given. Pass both"),
        (
            {"query_cameras": [0], "gallery_cameras": [0]},
            "`gallery_cameras` must have 2 entries, one an image. Received: 1",
        ),
        ({"ap": "steps"}, "Unknown kind of average precision 'steps'. Did you mean 'step'"),
        ({"protocol": "market"}, "Unknown protocol 'market'. Did you mean 'market1501'"),
        ({"max_rank": 0}, "`max_rank` must be an integer of at least 1"),
        ({"top_k": -1}, "`top_k` must be an integer of at least 1"),
    ],
)
def test_bad_arguments_say_what_to_do(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(**options)


def test_scores_must_be_real():
    with pytest.raises(TypeError, match=r"real numbers.*Received: dtype complex128"):
        evaluate(scores=np.zeros((1, 2), complex))


def test_bad_features_and_scorers():
    with pytest.raises(ValueError, match=r"\[Q, D\] and \[G, D\]. Received: \(1, 2\) and \(2, 3\)"):
        retrieval.evaluate_features(np.zeros((1, 2)), np.zeros((2, 3)), [1], [1, 2])
    with pytest.raises(ValueError, match=r"shape \[queries, gallery\] = \(1, 2\). Received: \(2,"):
        list(retrieval.score_blocks(lambda q, g: np.zeros((2, 1)), np.zeros(1), np.zeros(2)))
    with pytest.raises(ValueError, match="`block_rows` must be"):
        list(retrieval.score_blocks(np.matmul, np.eye(2), np.eye(2), block_rows=0))


def test_score_blocks_keep_to_the_budget():
    blocks = retrieval.score_blocks(retrieval.cosine_similarity, np.eye(10), np.eye(10), budget_bytes=4 * 10 * 3)
    assert [len(block) for block in blocks] == [3, 3, 3, 1]
