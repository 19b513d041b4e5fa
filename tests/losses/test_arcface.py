import keras
import numpy as np
import pytest

from keras_reid.losses import ArcFaceLoss, arcface_logits, identity_loss
from tests import oracles
from tests.gradients import gradient

LABELS = np.array([0, 1, 2, 0], "int32")
COSINES = np.random.default_rng(0).uniform(-0.99, 0.99, (4, 3)).astype("float32")
COSINES[3, 0] = -0.95  # its angle plus the margin passes 180 degrees


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("margin", [0.0, 0.3, 0.5])
def test_equals_the_loops(margin):
    expected = oracles.arcface_logits(LABELS, COSINES.astype("float64"), margin, 64.0)
    np.testing.assert_allclose(numpy(arcface_logits(LABELS, COSINES, margin)), expected, atol=1e-4)


def test_without_margin_it_is_a_scaled_softmax():
    received = numpy(ArcFaceLoss(0.0, 16.0, reduction=None)(LABELS, COSINES))
    np.testing.assert_allclose(received, numpy(identity_loss(LABELS, 16.0 * COSINES, 0.0)), atol=1e-4)


def test_the_own_logit_rises_with_the_cosine_everywhere():
    cosines = np.linspace(-1.0, 1.0, 201)[:, None]
    logits = numpy(arcface_logits(np.zeros(201, "int32"), cosines))[:, 0]
    assert (np.diff(logits) > 0).all()
    assert (logits[:-1] <= 64.0 * cosines[:-1, 0]).all()


def test_gradient_is_finite_at_the_poles():
    cosines = np.array([[1.0, -1.0], [-1.0, 1.0]])
    for function in (arcface_logits, ArcFaceLoss()):
        received = gradient(lambda c, f=function: keras.ops.sum(f(np.array([0, 0]), c)), cosines)[0]
        assert np.isfinite(received).all()


def test_one_identity():
    assert float(ArcFaceLoss()(np.array([0]), np.array([[0.5]]))) == 0.0
