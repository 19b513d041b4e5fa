"""JAX: gradients by `jax.value_and_grad` inside the stateless scope that `ReIDModel.train_step` opens."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import jax
import keras
import numpy as np

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

    State that the loss writes (batch-norm statistics, seeds) comes out of the differentiated function as an auxiliary
    value and is then assigned in the enclosing scope.

    Args:
        model: The ``keras.Model`` at work: every variable of it is visible to ``loss_fn``.
        variables: List of ``keras.Variable`` to differentiate by.
        loss_fn: Function without arguments that returns ``(total, {name: scalar})``.
        scale: Scalar the total is multiplied by before the gradient is taken.

    Returns:
        ``(terms, gradients)``.
    """
    chosen = {id(variable) for variable in variables}
    others = [variable for variable in model.variables if id(variable) not in chosen]
    frozen = [(variable, variable.value) for variable in others]

    def scaled_loss(values):
        mapping = [*frozen, *zip(variables, values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            total, terms = loss_fn()
            scaled = keras.ops.cast(total, "float32") * scale
        written = [scope.get_current_value(variable) for variable in others]
        return scaled, (terms, written)

    (_, (terms, written)), gradients = jax.value_and_grad(scaled_loss, has_aux=True)(
        [variable.value for variable in variables]
    )
    for variable, value in zip(others, written, strict=True):
        if value is not None:
            variable.assign(value)
    return terms, gradients


def value_and_input_gradient(function, inputs):
    """Evaluates a function and the gradient of the sum of its values with respect to its input.

    Args:
        function: Tensor -> tensor.
        inputs: Tensor [B, ...].

    Returns:
        ``(values, gradient)``, the gradient shaped like ``inputs``; both may be differentiated again.
    """
    values, pull_back = jax.vjp(function, jax.lax.stop_gradient(inputs))
    return values, pull_back(jax.numpy.ones_like(values))[0]


def apply(optimizer, gradients, variables) -> None:
    """Takes one optimiser step, stateless: a loss scale's branches may not write variables under `jit`."""
    values, slots = optimizer.stateless_apply(
        [variable.value for variable in optimizer.variables], gradients, [variable.value for variable in variables]
    )
    for variable, value in zip([*variables, *optimizer.variables], [*values, *slots], strict=True):
        variable.assign(value)


def enable_determinism() -> None:
    """JAX on CPU is deterministic; on a GPU XLA takes the flag from the environment before it starts."""


def random_state() -> np.ndarray | None:
    """JAX keeps no random state outside Keras' seed variables."""
    return None


def set_random_state(state: np.ndarray | None) -> None:
    """Nothing to restore."""
    del state


@contextmanager
def surviving(model) -> Iterator[None]:
    """Keeps the weights when `fit` fails before its first step ends.

    Keras takes the values out of the variables while it trains and puts them back after a step; where none ended (an
    unreadable image in the first batch, say) the model would be left empty.
    """
    variables = [*model.variables, *model.optimizer.variables]
    kept = [(variable, variable.value) for variable in variables]
    try:
        yield
    finally:
        for variable, value in kept:
            if variable._value is None:
                variable.assign(value)


def placed_like(model) -> AbstractContextManager[None]:
    """The layout that ``keras.distribution`` set holds for every variable, whenever it is made."""
    del model
    return nullcontext()


def gather_over_replicas(tensor):
    """The batch is the global one already: XLA divides the work, not the program."""
    return tensor
