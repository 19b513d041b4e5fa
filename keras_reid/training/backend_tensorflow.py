"""TensorFlow: gradients by `tf.GradientTape`. The only file of this folder that imports TensorFlow."""

from contextlib import AbstractContextManager, nullcontext

import keras
import numpy as np
import tensorflow as tf

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

    The gradients of several replicas are summed when they are applied; each is that of its share of the mean.

    Args:
        model: The ``keras.Model`` at work (not needed here; JAX needs it).
        variables: List of ``keras.Variable`` to differentiate by.
        loss_fn: Function without arguments that returns ``(total, {name: scalar})``.
        scale: Scalar the total is multiplied by before the gradient is taken.

    Returns:
        ``(terms, gradients)``; a gradient is ``None`` where the loss does not reach.
    """
    del model
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        total, terms = loss_fn()
        scaled = keras.ops.cast(total, "float32") * scale / tf.distribute.get_strategy().num_replicas_in_sync
    return terms, tape.gradient(scaled, values)


def value_and_input_gradient(function, inputs):
    """Evaluates a function and the gradient of the sum of its values with respect to its input.

    Args:
        function: Tensor -> tensor.
        inputs: Tensor [B, ...].

    Returns:
        ``(values, gradient)``, the gradient shaped like ``inputs``; both may be differentiated again.
    """
    inputs = keras.ops.stop_gradient(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        values = function(inputs)
    return values, tape.gradient(values, inputs)


def apply(optimizer, gradients, variables) -> None:
    """Takes one optimiser step."""
    optimizer.apply(gradients, variables)


def enable_determinism() -> None:
    """Makes TensorFlow choose deterministic kernels; call it before the first operation."""
    tf.config.experimental.enable_op_determinism()


def random_state() -> np.ndarray | None:
    """TensorFlow keeps no random state outside Keras' seed variables."""
    return None


def set_random_state(state: np.ndarray | None) -> None:
    """Nothing to restore."""
    del state


def surviving(model) -> AbstractContextManager[None]:
    """A failing `fit` leaves the weights of the last step here by itself."""
    del model
    return nullcontext()


def placed_like(model) -> AbstractContextManager:
    """Variables made here are mirrored if the model was made under a ``tf.distribute`` strategy."""
    return model.distribute_strategy.scope()


def gather_over_replicas(tensor):
    """Joins the replicas' rows in their order, which is that of the global batch."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return tensor
    return tf.distribute.get_replica_context().all_gather(tensor, axis=0)
