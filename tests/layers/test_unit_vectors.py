import numpy as np
from keras import ops

from keras_reid.layers.unit_vectors import unit_vectors
from tests.gradients import gradient


def test_unit_vectors_have_a_gradient_everywhere():
    features = np.random.default_rng(0).normal(size=(3, 4))
    features[1] = 0.0
    found = ops.convert_to_numpy(unit_vectors(features))
    norms = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(found, features / norms, rtol=1e-5)
    weights = np.random.default_rng(1).normal(size=(3, 4))
    (slope,) = gradient(lambda x: ops.sum(unit_vectors(x) * ops.convert_to_tensor(weights, "float32")), features)
    unit = features / norms
    expected = (weights - unit * (unit * weights).sum(axis=1, keepdims=True)) / norms
    np.testing.assert_allclose(slope[[0, 2]], expected[[0, 2]], rtol=1e-4, atol=1e-6)
    assert np.abs(slope[1]).max() < 10.0
