import keras
import numpy as np
import pytest

from keras_reid.losses import contrastive_loss
from tests.gradients import gradient

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_equals_the_loops(margin):
    first, second = RNG.normal(size=(2, 6, 3)).astype("float32") * 0.5
    distances = [
        np.sqrt(sum((a - b) ** 2 for a, b in zip(*pair, strict=True))) for pair in zip(first, second, strict=True)
    ]
    together = keras.ops.convert_to_numpy(contrastive_loss(first, second, True, margin))
    apart = keras.ops.convert_to_numpy(contrastive_loss(first, second, False, margin))
    np.testing.assert_allclose(together, np.square(distances), rtol=1e-5)
    np.testing.assert_allclose(apart, [max(0.0, margin - d) ** 2 for d in distances], rtol=1e-4, atol=1e-6)


def test_ideal_pairs_cost_nothing_and_equal_ones_have_a_gradient():
    unit = np.eye(1, 3, dtype="float32")
    assert float(contrastive_loss(unit, unit, True)[0]) == 0.0
    assert float(contrastive_loss(unit, -unit, False)[0]) == pytest.approx(0.0)
    assert float(contrastive_loss(unit, unit, False)[0]) == pytest.approx(4.0, rel=1e-4)
    for same in (True, False):
        (slope,) = gradient(lambda x, same=same: keras.ops.sum(contrastive_loss(x, unit, same)), unit)
        assert np.isfinite(slope).all()
