import keras
import numpy as np
import pytest

from keras_reid.losses import TripletLoss, active_fraction, batch_hard_triplet, check_positives, valid_anchors
from keras_reid.losses.distances import euclidean_distances, squared_distances
from tests import oracles
from tests.gradients import gradient

RNG = np.random.default_rng(0)
LABELS = np.array([0, 1, 0, 2, 1, 1, 3], "int32")
FEATURES = RNG.normal(size=(7, 4)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("margin", [0.0, 0.3, 5.0, None])
def test_equals_the_loops(margin):
    received = numpy(batch_hard_triplet(LABELS, FEATURES, margin))
    expected = oracles.batch_hard_triplet(LABELS, FEATURES.astype("float64"), margin)
    np.testing.assert_allclose(received, expected, atol=1e-5)
    assert (expected > 0).any()
    # Identities 2 and 3 have no positive.
    assert expected[3] == expected[6] == 0.0


def test_closed_forms():
    ideal = np.array([[0.0], [0.0], [10.0], [10.0]])
    labels = np.array([0, 0, 1, 1])
    assert numpy(batch_hard_triplet(labels, ideal, 0.3)).tolist() == [0.0] * 4
    collapsed = np.ones((4, 3))
    np.testing.assert_allclose(numpy(batch_hard_triplet(labels, collapsed, 0.3)), 0.3, rtol=1e-5)
    np.testing.assert_allclose(numpy(batch_hard_triplet(labels, collapsed, None)), np.log(2.0), rtol=1e-5)
    swapped = np.array([[0.0], [10.0], [0.0], [10.0]])
    np.testing.assert_allclose(numpy(batch_hard_triplet(labels, swapped, 0.3)), 10.3, rtol=1e-5)


def test_order_rotation_and_translation_do_not_matter():
    expected = numpy(batch_hard_triplet(LABELS, FEATURES, 1.0))
    order = RNG.permutation(7)
    np.testing.assert_allclose(
        numpy(batch_hard_triplet(LABELS[order], FEATURES[order], 1.0)), expected[order], atol=1e-5
    )
    rotation = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    moved = (FEATURES @ rotation + 1.0).astype("float32")
    np.testing.assert_allclose(numpy(batch_hard_triplet(LABELS, moved, 1.0)), expected, atol=1e-4)
    np.testing.assert_allclose(numpy(batch_hard_triplet(LABELS + 1000, FEATURES, 1.0)), expected)


@pytest.mark.parametrize(
    "labels", [np.arange(5), np.zeros(5, "int32"), np.array([0])], ids=["no positive", "one identity", "one image"]
)
@pytest.mark.parametrize("margin", [0.3, None])
def test_degenerate_batches_have_zero_loss_and_zero_gradient(labels, margin):
    features = FEATURES[: len(labels)]
    assert numpy(batch_hard_triplet(labels, features, margin)).tolist() == [0.0] * len(labels)
    assert not numpy(valid_anchors(labels)).any()
    assert float(active_fraction(labels, features)) == 0.0
    received = gradient(lambda f: keras.ops.sum(batch_hard_triplet(labels, f, margin)), features)[0]
    assert np.array_equal(received, np.zeros_like(received))


@pytest.mark.parametrize("margin", [0.3, None])
def test_gradient_is_finite_at_duplicates(margin):
    labels = np.array([0, 0, 1, 1])
    for features in (np.ones((4, 3)), np.array([[1.0], [1.0], [1.0], [2.0]]), np.full((4, 3), 1e4)):
        received = gradient(lambda f: keras.ops.sum(batch_hard_triplet(labels, f, margin)), features)[0]
        assert np.isfinite(received).all()


def test_gradient_equals_finite_differences():
    received = gradient(lambda f: keras.ops.sum(batch_hard_triplet(LABELS, f, 1.0)), FEATURES)[0]
    features, step = FEATURES.astype("float64"), 1e-6
    for place in np.ndindex(features.shape):
        ahead, behind = features.copy(), features.copy()
        ahead[place] += step
        behind[place] -= step
        values = [oracles.batch_hard_triplet(LABELS, f, 1.0).sum() for f in (ahead, behind)]
        assert abs(received[place] - (values[0] - values[1]) / (2 * step)) < 1e-3


def test_active_fraction_counts_valid_anchors_that_violate():
    values = oracles.batch_hard_triplet(LABELS, FEATURES.astype("float64"), 0.3)
    valid = numpy(valid_anchors(LABELS))
    assert valid.tolist() == [True, True, True, False, True, True, False]
    assert abs(float(active_fraction(LABELS, FEATURES, 0.3)) - (values[valid] > 0).mean()) < 1e-6


def test_mean_over_valid_anchors():
    loss = TripletLoss(1.0, reduction="mean_with_sample_weight")
    values = numpy(batch_hard_triplet(LABELS, FEATURES, 1.0))
    valid = valid_anchors(LABELS)
    expected = values[numpy(valid)].mean()
    np.testing.assert_allclose(numpy(loss(LABELS, FEATURES, sample_weight=valid)), expected, rtol=1e-5)


def test_batches_without_positives_are_refused():
    check_positives(LABELS)
    with pytest.raises(ValueError, match=r"batch without positives: each of its 5 images .* PKSampler\(16, 4\)"):
        check_positives(np.arange(5))


def test_distances():
    expected = np.array([[oracles.distance(a, b) for b in FEATURES] for a in FEATURES[:3].astype("float64")])
    np.testing.assert_allclose(numpy(euclidean_distances(FEATURES[:3], FEATURES)), expected, atol=2e-3)
    np.testing.assert_allclose(numpy(squared_distances(FEATURES[:3], FEATURES)), expected**2, atol=1e-5)
    assert (numpy(squared_distances(1e3 * FEATURES, 1e3 * FEATURES)) >= 0.0).all()
