"""torch's published update rules, as plain loops."""

import keras
import numpy as np
import pytest

from keras_reid.training import TorchAdam, TorchSGD


def run(optimizer, gradients):
    variable = keras.Variable(np.array([1.0, -2.0], "float32"))
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return keras.ops.convert_to_numpy(variable)


GRADIENTS = [np.array([0.5, 1.0], "float32"), np.array([-1.0, 0.25], "float32"), np.array([0.1, 0.0], "float32")]
RATES = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.01])  # the rate falls after two steps


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_keeps_its_velocity_when_the_rate_falls(nesterov):
    weight, velocity = np.array([1.0, -2.0]), np.zeros(2)
    for rate, gradient in zip([0.1, 0.1, 0.01], GRADIENTS, strict=True):
        gradient = gradient + 5e-4 * weight
        velocity = 0.9 * velocity + gradient
        weight = weight - rate * (gradient + 0.9 * velocity if nesterov else velocity)
    result = run(TorchSGD(RATES, momentum=0.9, nesterov=nesterov, l2=5e-4), GRADIENTS)
    np.testing.assert_allclose(result, weight, rtol=1e-6)


def test_adam_couples_its_weight_decay():
    weight, first, second = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for step, (rate, gradient) in enumerate(zip([0.1, 0.1, 0.01], GRADIENTS, strict=True), start=1):
        gradient = gradient + 5e-4 * weight
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        root = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        weight = weight - rate * first / (1 - 0.9**step) / root
    np.testing.assert_allclose(run(TorchAdam(RATES, l2=5e-4), GRADIENTS), weight, rtol=1e-5)


@pytest.mark.parametrize("nesterov", [False, True])
def test_equal_to_torch_itself(nesterov):
    torch = pytest.importorskip("torch")
    for ours, theirs in (
        (
            TorchSGD(0.1, momentum=0.9, nesterov=nesterov, l2=0.01),
            lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=nesterov, weight_decay=0.01),
        ),
        (TorchAdam(0.1, l2=0.01), lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.01)),
    ):
        parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        optimizer = theirs([parameter])
        for gradient in GRADIENTS:
            parameter.grad = torch.tensor(gradient)
            optimizer.step()
        np.testing.assert_allclose(run(ours, GRADIENTS), parameter.detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("optimizer", [TorchSGD(0.1, momentum=0.9, nesterov=True, l2=0.01), TorchAdam(0.1, l2=0.01)])
def test_config(optimizer):
    again = type(optimizer).from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert again.l2 == 0.01


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`momentum` must lie in \[0, 1\)"):
        TorchSGD(0.1, momentum=1.0)
    with pytest.raises(ValueError, match="`l2` .* must not be negative"):
        TorchAdam(0.1, l2=-1.0)
    with pytest.raises(ValueError, match="has no `amsgrad`"):
        TorchAdam(0.1, amsgrad=True)
