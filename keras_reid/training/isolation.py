"""A second use of a layer within one step: its weights held fixed, what it writes dropped or kept."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops

__all__ = ["gated", "isolated"]


def gated(tensor, gate):
    """Returns ``tensor``, through which only the share ``gate`` of the gradient passes.

    Args:
        tensor: Tensor of a float type.
        gate: 0 or 1, a number or a scalar tensor.

    Returns:
        The same values.

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.training.isolation import gated
        >>> float(gated(keras.ops.convert_to_tensor(3.0), 0.0))
        3.0
    """
    if isinstance(gate, float):
        return tensor if gate == 1.0 else ops.stop_gradient(tensor) if gate == 0.0 else _mixed(tensor, gate)
    return _mixed(tensor, ops.cast(gate, tensor.dtype))


def _mixed(tensor, gate):
    return gate * tensor + (1.0 - gate) * ops.stop_gradient(tensor)


@contextmanager
def isolated(layer: keras.layers.Layer, *, gate=0.0, keep=0.0) -> Iterator[None]:
    """Within it ``layer``, and nothing else that has variables, may be used without leaving a trace.

    What the layer writes (the running statistics of batch norms) is dropped, or kept where ``keep`` is 1. Seeds do go
    on, so that two uses draw two dropout masks. The gradient reaches the weights times ``gate``.

    Args:
        layer: A built layer.
        gate: 0 or 1, a number or a scalar tensor.
        keep: 0 or 1, a number or a scalar tensor.

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.training.isolation import isolated
        >>> norm = keras.layers.BatchNormalization()
        >>> norm.build((None, 2))
        >>> with isolated(norm):
        ...     _ = norm(np.ones((4, 2), "float32"), training=True)
        >>> keras.ops.convert_to_numpy(norm.moving_mean)
        array([0., 0.], dtype=float32)
    """
    weights = {id(variable) for variable in layer.weights}
    statistics = [v for v in layer.weights if not v.trainable and keras.backend.is_float_dtype(v.dtype)]
    seeds = [v for v in layer.variables if id(v) not in weights]
    mapping = [(v, gated(v.value, gate) if v.trainable else v.value) for v in layer.weights]
    with keras.StatelessScope(state_mapping=[*mapping, *((v, v.value) for v in seeds)]) as scope:
        yield
    for variable in seeds:
        variable.assign(scope.get_current_value(variable))
    if isinstance(keep, float) and keep == 0.0:
        return
    for variable in statistics:
        written = scope.get_current_value(variable)
        variable.assign(ops.where(ops.cast(keep, "bool"), written, variable.value))
