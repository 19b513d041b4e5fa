"""Batch normalisation with a single channel: one affine map for every number of a call."""

import keras
from keras import ops

__all__ = ["ScalarBatchNormalization"]


@keras.saving.register_keras_serializable(package="keras_reid")
class ScalarBatchNormalization(keras.layers.Layer):
    """Batch normalisation of all numbers of a call by one mean and one variance, in float32.

    It is torch's ``BatchNorm1d(1)``: epsilon 1e-5, momentum 0.9 (torch's 0.1), the batch normalised by the biased
    variance, the running variance fed with the unbiased one. Where the numbers are too many to be kept, `pooled`,
    `scale_and_shift` and `track` take statistics that were gathered in parts.

    On several replicas of TensorFlow ``ReIDModel`` sets ``synchronized`` to their number; then the statistics are those
    of all replicas' numbers.

    Args:
        **kwargs: `keras.layers.Layer`'s own (``name``, ``trainable``).

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.layers import ScalarBatchNormalization
        >>> received = ScalarBatchNormalization()(np.array([[0.0], [2.0]], "float32"), training=True)
        >>> keras.ops.convert_to_numpy(received).round(3).ravel()
        array([-1.,  1.], dtype=float32)
    """

    epsilon = 1e-5
    momentum = 0.9
    synchronized = False

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})

    def build(self, input_shape=None):
        """Creates four variables of shape [1], as torch does."""

        def weight(name: str, initializer: str, trainable: bool):
            # No autocast: another layer may read these inside its own half-precision call.
            return self.add_weight(name=name, shape=(1,), initializer=initializer, trainable=trainable, autocast=False)

        self.gamma = weight("gamma", "ones", True)
        self.beta = weight("beta", "zeros", True)
        self.moving_mean = weight("moving_mean", "zeros", False)
        self.moving_variance = weight("moving_variance", "ones", False)

    def pooled(self, mean, variance, count):
        """Mean, biased variance and number of all replicas' numbers, of which each has ``count``."""
        if not self.synchronized:
            return mean, variance, count
        everyone = _over_replicas(mean)
        variance = _over_replicas(variance + ops.square(mean - everyone))
        return everyone, variance, count * float(self.synchronized)

    def scale_and_shift(self, mean, variance):
        """The affine map ``x -> scale * x + shift`` that these statistics give."""
        scale = self.gamma / ops.sqrt(variance + self.epsilon)
        return scale, self.beta - mean * scale

    def track(self, mean, variance, count) -> None:
        """Feeds the running statistics with a batch of ``count`` numbers and its biased variance."""
        mean, variance = ops.stop_gradient(mean), ops.stop_gradient(variance)
        unbiased = variance * count / ops.maximum(count - 1.0, 1.0)
        keep, take = self.momentum, 1.0 - self.momentum
        self.moving_mean.assign(keep * self.moving_mean + take * ops.reshape(mean, (1,)))
        self.moving_variance.assign(keep * self.moving_variance + take * ops.reshape(unbiased, (1,)))

    def call(self, inputs, training=None):
        """Normalises by the call's own statistics in training, else by the running ones."""
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            mean = ops.mean(inputs)
            variance = ops.mean(ops.square(inputs - mean))
            shape = ops.convert_to_tensor(ops.shape(inputs), "int32")
            mean, variance, count = self.pooled(mean, variance, ops.cast(ops.prod(shape), "float32"))
            self.track(mean, variance, count)
        scale, shift = self.scale_and_shift(mean, variance)
        return scale * inputs + shift

    def compute_output_shape(self, input_shape):
        """The shape stays."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        config = super().get_config()
        del config["dtype"]
        return config


def _over_replicas(scalar):
    """Mean over the replicas: the moments of a batch in which each has one row."""
    return ops.moments(ops.reshape(scalar, (1, 1)), axes=[0], synchronized=True)[0][0]
