import numpy as np
import pytest
from keras import ops

from keras_reid.losses import discriminator_loss, distillation_loss, generator_loss, gradient_penalty

RNG = np.random.default_rng(0)
REAL = [RNG.normal(size=(3, side, 2, 1)).astype("float32") for side in (4, 2)]
FAKE = [RNG.normal(size=(3, side, 2, 1)).astype("float32") for side in (4, 2)]


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x.astype("float64")))


def test_both_games_by_their_formulas():
    squares = sum((f**2).mean() + ((r - 1) ** 2).mean() for r, f in zip(REAL, FAKE, strict=True))
    logs = -sum(np.log(1 - sigmoid(f)).mean() + np.log(sigmoid(r)).mean() for r, f in zip(REAL, FAKE, strict=True))
    assert float(discriminator_loss(REAL, FAKE)) == pytest.approx(squares, rel=1e-5)
    assert float(discriminator_loss(REAL, FAKE, "log")) == pytest.approx(logs, rel=1e-5)
    assert float(generator_loss(FAKE)) == pytest.approx(sum(((f - 1) ** 2).mean() for f in FAKE), rel=1e-5)
    assert float(generator_loss(FAKE, "log")) == pytest.approx(-sum(np.log(sigmoid(f)).mean() for f in FAKE), rel=1e-5)
    extreme = [np.array([[-200.0, 200.0]], "float16")]
    assert np.isfinite(float(discriminator_loss(extreme, extreme, "log")))


def test_unknown_game():
    with pytest.raises(ValueError, match="Unknown adversarial game 'wgan'"):
        generator_loss(FAKE, "wgan")


def test_penalty_is_a_sum_over_pixels_and_a_mean_over_images():
    gradient = RNG.normal(size=(3, 4, 2, 3)).astype("float32")
    assert float(gradient_penalty(gradient)) == pytest.approx((gradient**2).sum() / 3, rel=1e-5)


def test_distillation_is_the_divergence_and_knows_zero():
    logits = RNG.normal(size=(4, 5)).astype("float32")
    target = RNG.dirichlet(np.ones(5), 4).astype("float32")
    target[0] = [1, 0, 0, 0, 0]
    own = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    terms = np.where(target > 0, target * (np.log(np.maximum(target, 1e-30)) - np.log(own)), 0.0)
    np.testing.assert_allclose(ops.convert_to_numpy(distillation_loss(target, logits)), terms.sum(1), rtol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(distillation_loss(own, logits)), 0.0, atol=1e-6)
