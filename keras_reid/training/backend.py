"""Chooses the one small file of backend-specific code: gradients, determinism, random state.

Each of `backend_tensorflow`, `backend_jax` and `backend_torch` defines

    value_and_gradients(model, variables, loss_fn, scale) -> (terms, gradients)
    value_and_input_gradient(function, inputs) -> (values, gradient)   # of their sum, to be differentiated again
    apply(optimizer, gradients, variables) -> None
    enable_determinism() -> None
    random_state() -> numpy array or None        # state that lives outside Keras variables
    set_random_state(state) -> None
    surviving(model) -> context manager           # weights outlive a `fit` that fails
    placed_like(model) -> context manager         # variables made in it live on the model's devices
    gather_over_replicas(tensor) -> tensor        # the rows of the global batch, on every replica
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
