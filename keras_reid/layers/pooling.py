"""Feature map to vector."""

import keras
from keras import ops

__all__ = ["GeMPooling"]


@keras.saving.register_keras_serializable(package="keras_reid")
class GeMPooling(keras.layers.Layer):
    """Generalised-mean pooling with a learned exponent, ``[B, h, w, C] -> [B, C]``.

    ``f_c = (mean_hw max(x_hwc, 1e-6)^p)^(1/p)``; ``p = 1`` is the average, ``p -> infinity`` the maximum. One ``p`` for
    all channels, computed in float32 whatever the policy (a half-precision cube overflows at 40).

    Args:
        initial_exponent: Initial ``p``.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``).

    Raises:
        ValueError: ``initial_exponent`` is not positive.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from keras_reid.layers import GeMPooling
        >>> maps = np.array([0.0, 2.0], "float32").reshape(1, 2, 1, 1)
        >>> keras.ops.convert_to_numpy(GeMPooling()(maps))
        array([[1.587401]], dtype=float32)

    Reference:
        Radenovic, Tolias and Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2019.
    """

    def __init__(self, initial_exponent: float = 3.0, **kwargs):
        super().__init__(**kwargs)
        if not initial_exponent > 0.0:
            raise ValueError(f"`initial_exponent` must be positive. Received: {initial_exponent!r}.")
        self.initial_exponent = initial_exponent

    def build(self, input_shape):
        """Creates the exponent."""
        self.exponent = self.add_weight(
            name="exponent",
            shape=(),
            initializer=keras.initializers.Constant(self.initial_exponent),
            dtype="float32",
            autocast=False,
        )

    def call(self, inputs):
        """Pools over height and width."""
        x = ops.maximum(ops.cast(inputs, "float32"), 1e-6)
        exponent = ops.convert_to_tensor(self.exponent)
        # In units of the largest value: 1e-6 to the power of ten is zero in float32, whose root has no gradient.
        # The unit cancels out, of the gradient too.
        largest = ops.stop_gradient(ops.max(x, axis=(1, 2), keepdims=True))
        means = ops.mean(ops.power(x / largest, exponent), axis=(1, 2))
        return ops.cast(largest[:, 0, 0] * ops.power(means, 1.0 / exponent), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """The channels remain."""
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "initial_exponent": self.initial_exponent}
