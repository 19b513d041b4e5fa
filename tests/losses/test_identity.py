import keras
import numpy as np
import pytest

from keras_reid.losses import IdentityLoss, identity_loss
from tests import oracles
from tests.gradients import gradient

RNG = np.random.default_rng(0)
LABELS = np.array([0, 4, 2, 2], "int32")
LOGITS = RNG.normal(0.0, 3.0, (4, 5)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_equals_the_loops(smoothing):
    received = numpy(identity_loss(LABELS, LOGITS, smoothing))
    np.testing.assert_allclose(received, oracles.identity_loss(LABELS, LOGITS.astype("float64"), smoothing), rtol=1e-5)


def test_without_smoothing_it_is_keras_cross_entropy():
    expected = keras.losses.sparse_categorical_crossentropy(LABELS, LOGITS, from_logits=True)
    np.testing.assert_allclose(numpy(identity_loss(LABELS, LOGITS, 0.0)), numpy(expected), rtol=1e-5)


def test_closed_forms():
    np.testing.assert_allclose(numpy(identity_loss(LABELS, np.zeros((4, 5)))), np.log(5.0), rtol=1e-6)
    sure = 1e4 * np.eye(5)[LABELS]
    np.testing.assert_allclose(numpy(identity_loss(LABELS, sure, 0.0)), 0.0, atol=1e-6)
    # The smoothed share of the four other identities pays 1e4 each.
    np.testing.assert_allclose(numpy(identity_loss(LABELS, sure, 0.1)), 0.1 * 4 / 5 * 1e4, rtol=1e-5)


def test_adding_a_constant_changes_nothing():
    np.testing.assert_allclose(
        numpy(identity_loss(LABELS, LOGITS + 7.0)), numpy(identity_loss(LABELS, LOGITS)), rtol=1e-5
    )


def test_one_identity_and_a_batch_of_one():
    assert numpy(identity_loss(np.array([0]), np.array([[3.0]]))).tolist() == [0.0]


def test_gradient_is_probability_minus_target():
    received = gradient(lambda logits: keras.ops.sum(identity_loss(LABELS, logits, 0.1)), LOGITS)[0]
    targets = 0.9 * np.eye(5)[LABELS] + 0.1 / 5
    np.testing.assert_allclose(received, np.array([oracles.softmax(list(r)) for r in LOGITS]) - targets, atol=1e-5)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_bad_smoothing(smoothing):
    with pytest.raises(ValueError, match=rf"`label_smoothing` must be in \[0, 1\). Received: {smoothing}"):
        IdentityLoss(smoothing)
