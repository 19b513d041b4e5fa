import keras
import numpy as np

from keras_reid.losses import centre_loss, updated_centres
from tests import oracles
from tests.gradients import gradient

RNG = np.random.default_rng(0)
LABELS = np.array([0, 2, 0, 0], "int32")
FEATURES = RNG.normal(size=(4, 3)).astype("float32")
CENTRES = RNG.normal(size=(4, 3)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_equals_the_loops():
    expected = oracles.centre_loss(LABELS, FEATURES.astype("float64"), CENTRES.astype("float64"))
    np.testing.assert_allclose(numpy(centre_loss(LABELS, FEATURES, CENTRES)), expected, rtol=1e-5)
    expected = oracles.updated_centres(LABELS, FEATURES.astype("float64"), CENTRES.astype("float64"), 0.5)
    np.testing.assert_allclose(numpy(updated_centres(LABELS, FEATURES, CENTRES, 0.5)), expected, atol=1e-6)


def test_features_on_their_centres_cost_nothing_and_move_nothing():
    on_them = CENTRES[LABELS]
    assert numpy(centre_loss(LABELS, on_them, CENTRES)).tolist() == [0.0] * 4
    np.testing.assert_allclose(numpy(updated_centres(LABELS, on_them, CENTRES)), CENTRES, atol=1e-6)


def test_absent_identities_keep_their_centres():
    received = numpy(updated_centres(LABELS, FEATURES, CENTRES))
    np.testing.assert_array_equal(received[[1, 3]], CENTRES[[1, 3]])
    assert np.abs(received[[0, 2]] - CENTRES[[0, 2]]).min() > 0


def test_repeated_updates_reach_the_mean():
    centres = CENTRES
    for _ in range(200):
        centres = numpy(updated_centres(LABELS, FEATURES, centres))
    np.testing.assert_allclose(centres[0], FEATURES[LABELS == 0].mean(axis=0), atol=1e-5)


def test_gradients():
    of_features, of_centres = gradient(lambda f, c: keras.ops.sum(centre_loss(LABELS, f, c)), FEATURES, CENTRES)
    np.testing.assert_allclose(of_features, FEATURES - CENTRES[LABELS], atol=1e-6)
    np.testing.assert_array_equal(of_centres[[1, 3]], 0.0)
