import keras
import numpy as np
import pytest

from keras_reid.losses import batch_hard_triplet, instance_spreading
from tests.gradients import gradient
from tests.oracles import distance

RNG = np.random.default_rng(0)


def unit(rows, width=16, rng=RNG):
    x = rng.normal(size=(rows, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def loops(places, features, bank, margin, valid=None):
    values = []
    for place, feature in zip(places, features.astype("float64"), strict=True):
        total = 0.0
        for row, other in enumerate(bank.astype("float64")):
            if row != place and (valid is None or valid[row]):
                total += np.exp(margin - distance(feature, other))
        values.append(np.log(1.0 + total))
    return np.array(values)


@pytest.mark.parametrize("margin", [0.1, 1.0])
def test_equals_the_sum_of_equation_8(margin):
    bank, features, places = unit(20), unit(5), np.array([3, 0, 19, 3, 7], "int32")
    valid = (np.arange(20) % 4 > 0).astype("float32")
    for given in (None, valid):
        received = numpy(instance_spreading(places, features, bank, given, margin))
        np.testing.assert_allclose(received, loops(places, features, bank, margin, given), rtol=1e-5)


def test_the_anchor_s_own_row_is_left_out():
    bank, features, places = unit(20), unit(2), np.array([4, 5], "int32")
    changed = bank.copy()
    changed[4] = features[0]
    received = numpy(instance_spreading(places, features, changed))
    expected = numpy(instance_spreading(places, features, bank))
    assert received[0] == pytest.approx(expected[0], rel=1e-6)
    assert received[1] != pytest.approx(expected[1], rel=1e-4)


def test_it_falls_when_the_others_spread():
    anchor = np.eye(1, 8, dtype="float32")
    losses = []
    for angle in (0.1, 0.5, 1.5, 3.0):
        other = np.zeros((4, 8), "float32")
        other[:, 0], other[:, 1] = np.cos(angle), np.sin(angle)
        losses.append(float(numpy(instance_spreading(np.array([0]), anchor, np.concatenate([anchor, other])))[0]))
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[-1] + 0.5


def test_its_scale_on_unit_vectors_and_on_long_ones():
    """At a distance of 0.85 the loss counts; at the distances of vectors of norm 14 it does not."""
    count = 16522
    bank = np.zeros((count, 2), "float32")
    cosine = 1.0 - 0.85**2 / 2
    bank[:] = cosine, np.sqrt(1.0 - cosine**2)
    bank[0] = 1.0, 0.0
    loss = float(numpy(instance_spreading(np.array([0]), bank[:1], bank))[0])
    assert loss == pytest.approx(np.log(1 + (count - 1) * np.exp(0.1 - 0.85)), rel=1e-4)
    assert loss == pytest.approx(9.0, abs=0.1)
    assert np.log1p((count - 1) * np.exp(0.1 - 19.0)) < 2e-4


def test_no_other_image_is_no_loss():
    one = unit(1)
    assert numpy(instance_spreading(np.array([0]), one, one)).tolist() == [0.0]
    (slope,) = gradient(lambda x: keras.ops.sum(instance_spreading(np.array([0]), x, one)), one)
    assert np.isfinite(slope).all()


def test_the_gradient_flows_through_the_anchors_alone():
    bank, features, places = unit(6), unit(3), np.array([0, 1, 2], "int32")

    def loss(x):
        return keras.ops.sum(instance_spreading(places, x, bank))

    (slope,) = gradient(loss, features)
    step = 1e-2 * RNG.normal(size=features.shape)
    tangent = (step - (step * features).sum(axis=1, keepdims=True) * features).astype("float32")
    ahead, behind = (float(numpy(loss(features + sign * tangent))) for sign in (1, -1))
    assert (slope * tangent).sum() == pytest.approx((ahead - behind) / 2, rel=2e-2, abs=1e-5)
    (zero,) = gradient(lambda x: keras.ops.sum(instance_spreading(places, features, x)) + 0.0 * keras.ops.sum(x), bank)
    assert not zero.any()


def test_labels_are_integers():
    with pytest.raises(ValueError, match="must be integers"):
        instance_spreading(np.array([0.0]), unit(1), unit(2))


def test_squared_triplets_equal_the_loops():
    labels, features = np.array([0, 1, 0, 2, 1, 1, 3], "int32"), unit(7, 4)
    expected = []
    for anchor, label in enumerate(labels):
        squares = [distance(features[anchor], other) ** 2 for other in features]
        positives = [squares[j] for j in range(7) if labels[j] == label and j != anchor]
        negatives = [squares[j] for j in range(7) if labels[j] != label]
        expected.append(max(0.0, 0.3 + max(positives) - min(negatives)) if positives else 0.0)
    np.testing.assert_allclose(numpy(batch_hard_triplet(labels, features, 0.3, squared=True)), expected, atol=1e-5)
    assert np.abs(numpy(batch_hard_triplet(labels, features, 0.3)) - expected).max() > 1e-2
