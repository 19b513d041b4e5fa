"""PyTorch: gradients by `torch.autograd.grad`, which leaves every other network's `.grad` alone."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import keras
import numpy as np
import torch

from keras_reid.training.devices import Devices

__all__ = [
    "apply",
    "devices",
    "distributed",
    "enable_determinism",
    "gather_over_replicas",
    "is_first_host",
    "over_hosts",
    "own_rows",
    "placed_like",
    "predict",
    "replicas",
    "reported",
    "sum_over_replicas",
    "surviving",
    "value_and_gradients",
    "value_and_input_gradient",
]


def value_and_gradients(model, variables, loss_fn, scale):
    """Evaluates ``loss_fn`` and the gradient of ``scale * total`` with respect to ``variables``.

    Args:
        model: The ``keras.Model`` at work (not needed here; JAX needs it).
        variables: List of ``keras.Variable`` to differentiate by.
        loss_fn: Function without arguments that returns ``(total, {name: scalar})``.
        scale: Scalar the total is multiplied by before the gradient is taken.

    Returns:
        ``(terms, gradients)``, detached; a gradient is ``None`` where the loss does not reach.
    """
    del model
    total, terms = loss_fn()
    scaled = keras.ops.cast(total, "float32") * scale
    gradients = torch.autograd.grad(scaled, [variable.value for variable in variables], allow_unused=True)
    return keras.tree.map_structure(keras.ops.stop_gradient, terms), list(gradients)


def value_and_input_gradient(function, inputs):
    """Evaluates a function and the gradient of the sum of its values with respect to its input.

    Args:
        function: Tensor -> tensor.
        inputs: Tensor [B, ...].

    Returns:
        ``(values, gradient)``, the gradient shaped like ``inputs``; both may be differentiated again.
    """
    with torch.enable_grad():  # Keras evaluates without
        inputs = inputs.detach().requires_grad_(True)
        values = function(inputs)
        return values, torch.autograd.grad(values.sum(), inputs, create_graph=True)[0]


def apply(optimizer, gradients, variables) -> None:
    """Takes one optimiser step outside autograd."""
    with torch.no_grad():
        optimizer.apply(gradients, variables)


def enable_determinism() -> None:
    """Makes PyTorch refuse operations without a deterministic kernel."""
    torch.use_deterministic_algorithms(True)


def surviving(model) -> AbstractContextManager[None]:
    """A failing `fit` leaves the weights of the last step here by itself."""
    del model
    return nullcontext()


def placed_like(model) -> AbstractContextManager[None]:
    """Keras trains on one device with torch."""
    del model
    return nullcontext()


def replicas() -> int:
    """One."""
    return 1


def gather_over_replicas(tensor):
    """Keras trains on one device with torch: its batch is the whole one."""
    return tensor


def own_rows(tensor):
    """All of them."""
    return tensor


def sum_over_replicas(tensors):
    """There is nothing to add."""
    return tensors


def reported(scalar):
    """Keras takes it as it is."""
    return scalar


def distributed(model, dataset):
    """There is nobody to divide it among."""
    del model
    return dataset


def predict(model, keras_predict, x, batch_size, verbose):
    """Keras' own."""
    del model
    return keras_predict(x, batch_size=batch_size, verbose=verbose)


@contextmanager
def devices(count: int | None) -> Iterator[Devices]:
    """One device; more are refused."""
    if count not in (None, 1):
        raise ValueError(
            f"Keras trains on one device with torch. Received: devices={count}. Set the environment variable "
            "KERAS_BACKEND to tensorflow or jax for several."
        )
    yield Devices()


def is_first_host(model) -> bool:
    """There is one host."""
    del model
    return True


def over_hosts(model, numbers) -> np.ndarray:
    """There is one host."""
    del model
    return np.array([numbers], np.int64)
