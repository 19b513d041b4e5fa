"""A gradient within a gradient, and a layer used a second time without a trace."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_reid.training import backend
from keras_reid.training.isolation import gated, isolated
from tests.gradients import gradient

INPUTS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def numpy(value):
    return np.array(ops.convert_to_numpy(value))


def test_a_gradient_can_be_differentiated():
    inputs = ops.convert_to_tensor(INPUTS)
    values, inner = backend.current().value_and_input_gradient(lambda z: z**3, inputs)
    np.testing.assert_allclose(numpy(ops.stop_gradient(values)), INPUTS**3, rtol=1e-5)
    np.testing.assert_allclose(numpy(ops.stop_gradient(inner)), 3 * INPUTS**2, rtol=1e-5)

    def of_weight(weight):  # sum (3 w x^2)^2 = 9 w^2 sum x^4
        _, slope = backend.current().value_and_input_gradient(lambda z: weight * z**3, inputs)
        return ops.sum(ops.square(slope))

    (received,) = gradient(of_weight, np.array(2.0))
    assert float(received) == pytest.approx(36 * (INPUTS.astype("float64") ** 4).sum(), rel=1e-4)


@pytest.mark.parametrize("gate", [0.0, 1.0, "tensor"])
def test_a_gate_passes_or_holds(gate):
    share = ops.ones(()) if gate == "tensor" else gate
    (received,) = gradient(lambda x: ops.sum(gated(x, share) ** 2) + 0.0 * ops.sum(x), INPUTS)
    np.testing.assert_allclose(received, 0.0 if gate == 0.0 else 2 * INPUTS, rtol=1e-6)


@pytest.mark.parametrize(("keep", "kept"), [(0.0, False), (1.0, True), ("zero", False), ("one", True)])
def test_running_statistics_are_kept_only_when_asked_for(keep, kept):
    keep = {"zero": ops.zeros(()), "one": ops.ones(())}.get(keep, keep)
    norm = keras.layers.BatchNormalization(momentum=0.9)
    norm.build((None, 3))
    with isolated(norm, keep=keep):
        received = norm(INPUTS, training=True)
    np.testing.assert_allclose(numpy(received).mean(0), 0.0, atol=1e-5)  # of the batch either way
    np.testing.assert_allclose(numpy(norm.moving_mean), 0.1 * INPUTS.mean(0) if kept else 0.0, atol=1e-6)


def test_dropout_draws_a_new_mask_each_time():
    dropout = keras.layers.Dropout(0.5, seed=0)
    dropout.build((None, 100))
    masks = []
    for _ in range(2):
        with isolated(dropout):
            masks.append(numpy(dropout(np.ones((1, 100), "float32"), training=True)))
    assert (masks[0] != masks[1]).any()


@pytest.mark.parametrize("gate", [0.0, 1.0])
def test_weights_learn_through_an_open_gate_alone(gate):
    dense = keras.layers.Dense(2, use_bias=False)
    dense.build((None, 3))
    model = keras.Sequential([dense])

    def loss():
        with isolated(dense, gate=gate):
            total = ops.sum(dense(ops.convert_to_tensor(INPUTS)) ** 2)
        # So that there is a gradient, be it 0, where the gate is shut.
        return total + 0.0 * ops.sum(ops.convert_to_tensor(dense.kernel)), {"total": total}

    _, (received,) = backend.current().value_and_gradients(model, [dense.kernel], loss, ops.ones(()))
    assert (np.abs(numpy(received)).max() > 1e-3) == (gate == 1.0)
