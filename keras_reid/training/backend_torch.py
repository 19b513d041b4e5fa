"""PyTorch: gradients by `torch.autograd.grad`, which leaves every other network's `.grad` alone."""

from contextlib import AbstractContextManager, nullcontext

import keras
import numpy as np
import torch

__all__ = [
    "apply",
    "enable_determinism",
    "gather_over_replicas",
    "placed_like",
    "random_state",
    "set_random_state",
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
    terms = {name: keras.ops.stop_gradient(value) for name, value in terms.items()}
    return terms, list(gradients)


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


def random_state() -> np.ndarray | None:
    """The state of torch's global CPU generator, which draws dropout masks there; a GPU's generators are not saved."""
    return torch.get_rng_state().numpy()


def set_random_state(state: np.ndarray | None) -> None:
    """Restores what `random_state` returned."""
    if state is not None:
        torch.set_rng_state(torch.from_numpy(np.asarray(state, dtype="uint8")))


def surviving(model) -> AbstractContextManager[None]:
    """A failing `fit` leaves the weights of the last step here by itself."""
    del model
    return nullcontext()


def placed_like(model) -> AbstractContextManager[None]:
    """Keras trains on one device with torch."""
    del model
    return nullcontext()


def gather_over_replicas(tensor):
    """Keras trains on one device with torch: its batch is the whole one."""
    return tensor
