"""Chooses the one small file of backend-specific code: gradients, determinism, random state.

Each of `backend_tensorflow`, `backend_jax` and `backend_torch` defines

    value_and_gradients(model, variables, loss_fn, scale) -> (terms, gradients)
    value_and_input_gradient(function, inputs) -> (values, gradient)   # of their sum, to be differentiated again
    apply(optimizer, gradients, variables) -> None
    enable_determinism() -> None
    surviving(model) -> context manager           # weights outlive a `fit` that fails
    placed_like(model) -> context manager         # variables made in it live on the model's devices

and what several devices need; a replica is a device that runs the step on its part of the batch, so on JAX, where XLA
divides the work on the global batch, there is one:

    replicas() -> int                             # within a step: how many replicas there are
    gather_over_replicas(tensor) -> tensor        # the rows of the global batch, on every replica
    own_rows(tensor) -> tensor                    # of those the ones of this replica
    sum_over_replicas(tensors) -> tensors         # each replica's added up, on every replica
    reported(scalar) -> tensor                    # a running mean in the form that Keras' `fit` reports
    distributed(model, dataset) -> dataset        # batches divided among the model's devices; the model is made ready
    predict(model, predict, x, batch_size, verbose) -> arrays     # Keras' `predict`, for any number of images
    devices(count) -> context manager             # gives `keras_reid.training.Devices`
    is_first_host(model) -> bool                  # whether this host writes what is written once
    over_hosts(model, numbers) -> numpy [H, N]    # integers of every host; also a barrier
"""

import importlib
from types import ModuleType

import keras

__all__ = ["current"]


def current() -> ModuleType:
    """Returns the module for the running Keras backend.

    Raises:
        RuntimeError: The backend cannot train (``numpy``, ``openvino``).
    """
    name = keras.backend.backend()
    if name not in ("tensorflow", "jax", "torch"):
        raise RuntimeError(
            f"The Keras backend {name!r} cannot train. Expected tensorflow, jax or torch: set the "
            "environment variable KERAS_BACKEND before Keras is imported."
        )
    return importlib.import_module(f"keras_reid.training.backend_{name}")
