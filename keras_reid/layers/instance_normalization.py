"""Normalisation of each image by itself: per channel with a style from outside, or over all of its numbers."""

import keras
from keras import ops

__all__ = ["InstanceNormalization", "SampleNormalization"]


@keras.saving.register_keras_serializable(package="keras_reid")
class InstanceNormalization(keras.layers.Layer):
    """Zero mean and unit variance per image and channel; with a style, adaptive instance normalisation (AdaIN).

    ``y = (x - mean_hw) / sqrt(var_hw + 1e-5)``, and with a style ``scale * y + shift``;
    ``[B, h, w, C] -> [B, h, w, C]``, the style two tensors [B, C]. It has no variables: a style comes from another
    network, as it is (there is no ``1 +``). Statistics are computed in float32 whatever the policy.

    Args:
        epsilon: Added to the variance.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.layers import InstanceNormalization
        >>> maps = np.array([0.0, 2.0], "float32").reshape(1, 2, 1, 1)
        >>> styled = InstanceNormalization()(maps, np.full((1, 1), 3.0), np.full((1, 1), 1.0))
        >>> keras.ops.convert_to_numpy(styled).round(2).ravel()
        array([-2.,  4.], dtype=float32)

    Reference:
        Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", ICCV 2017.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs, scale=None, shift=None):
        """Normalises, and applies the style if there is one."""
        x = ops.cast(inputs, "float32")
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        x = (x - mean) * ops.rsqrt(variance + self.epsilon)
        if scale is not None:
            x = x * ops.cast(scale, "float32")[:, None, None] + ops.cast(shift, "float32")[:, None, None]
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape, *_):
        """The shape stays."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="keras_reid")
class SampleNormalization(keras.layers.Layer):
    """Layer normalisation of images: one mean and one deviation per image, a scale and a shift per channel.

    ``y = gamma_c (x - mean_hwc) / (s_hwc + 1e-5) + beta_c`` with ``s`` the unbiased standard deviation,
    ``[B, h, w, C] -> [B, h, w, C]``. The initial gamma is drawn from [0, 1). Statistics are float32.

    Args:
        epsilon: Added to the standard deviation.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import SampleNormalization
        >>> tuple(SampleNormalization()(np.ones((1, 4, 2, 3), "float32")).shape)
        (1, 4, 2, 3)

    Reference:
        Ba, Kiros and Hinton, "Layer Normalization", 2016; this form is that of the authors' code of Zheng et al.,
        "Joint Discriminative and Generative Learning for Person Re-identification", CVPR 2019.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        """Creates the scale and the shift."""
        channels = (input_shape[-1],)
        self.gamma = self.add_weight(
            name="gamma", shape=channels, initializer=keras.initializers.RandomUniform(0.0, 1.0)
        )
        self.beta = self.add_weight(name="beta", shape=channels, initializer="zeros")

    def call(self, inputs):
        """Normalises each image."""
        x = ops.cast(inputs, "float32")
        numbers = x.shape[1] * x.shape[2] * x.shape[3]
        mean, variance = ops.moments(x, axes=(1, 2, 3), keepdims=True)
        # The root has no gradient at 0, and one colour all over the image has no variance.
        deviation = ops.sqrt(ops.maximum(variance * (numbers / (numbers - 1)), 1e-20))
        x = (x - mean) / (deviation + self.epsilon)
        return ops.cast(x * ops.cast(self.gamma, "float32") + ops.cast(self.beta, "float32"), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """The shape stays."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}
