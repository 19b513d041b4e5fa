"""One gradient on whichever backend runs the tests."""

import keras
import numpy as np


def gradient(function, *arrays):
    """Gradients, as float64 arrays, of a scalar function of float32 tensors; tests only."""
    arrays = [np.asarray(array, dtype="float32") for array in arrays]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        inputs = [tf.constant(array) for array in arrays]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(*inputs)
        results = tape.gradient(value, inputs)
    elif keras.backend.backend() == "jax":
        import jax

        results = jax.grad(function, argnums=tuple(range(len(arrays))))(*arrays)
    else:
        import torch

        inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
        results = torch.autograd.grad(function(*inputs), inputs)
    return [np.asarray(keras.ops.convert_to_numpy(result), dtype="float64") for result in results]
