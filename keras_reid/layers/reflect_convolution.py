"""What image-to-image networks are made of: reflect, convolve, normalise, activate; double, halve."""

import keras
from keras import ops

from keras_reid.checks import unknown_name
from keras_reid.layers.instance_normalization import InstanceNormalization, SampleNormalization

__all__ = ["ReflectConvolution", "ResidualBlock", "average_halved", "doubled"]

_NORMS = {"instance": InstanceNormalization, "sample": SampleNormalization}


@keras.saving.register_keras_serializable(package="keras_reid")
class ReflectConvolution(keras.layers.Layer):
    """Reflection padding, convolution with bias, normalisation, leaky ReLU of slope 0.2.

    ``[B, h, w, C] -> [B, h / strides, w / strides, filters]``. Reflection needs maps larger than
    ``dilation * (kernel_size - 1) / 2`` on both axes.

    Args:
        filters: Output channels.
        kernel_size: Side of the kernel, odd.
        strides: Stride.
        dilation: Distance between the kernel's taps.
        norm: ``"instance"``, ``"sample"`` or ``None``; see `InstanceNormalization` and `SampleNormalization`.
        activate: Whether the leaky ReLU follows.
        initial_deviation: Standard deviation of the initial weights; ``None`` for sqrt(2 / fan-in).
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Raises:
        ValueError: ``norm`` is none of those listed.

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import ReflectConvolution
        >>> tuple(ReflectConvolution(8, 3, strides=2, norm="instance")(np.ones((1, 8, 4, 3), "float32")).shape)
        (1, 4, 2, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        dilation: int = 1,
        norm: str | None = None,
        activate: bool = True,
        initial_deviation: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if norm is not None and norm not in _NORMS:
            raise unknown_name("normalisation", norm, _NORMS, "`None` normalises nothing.")
        self._arguments = {
            "filters": filters,
            "kernel_size": kernel_size,
            "strides": strides,
            "dilation": dilation,
            "norm": norm,
            "activate": activate,
            "initial_deviation": initial_deviation,
        }
        self.padding = dilation * (kernel_size - 1) // 2
        self.activate = activate
        self.conv = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            dilation_rate=dilation,
            data_format="channels_last",
            # A new initializer per layer: one instance draws the same values at every call.
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")
            if initial_deviation is None
            else keras.initializers.RandomNormal(stddev=initial_deviation),
            name="conv",
            dtype=self.dtype_policy,
        )
        self.norm = None if norm is None else _NORMS[norm](name="norm", dtype=self.dtype_policy)

    def build(self, input_shape):
        """Creates every variable; only the number of channels matters."""
        self.conv.build((None, None, None, input_shape[-1]))
        if self.norm is not None:
            self.norm.build((None, None, None, self.conv.filters))

    def call(self, inputs, scale=None, shift=None):
        """Runs the block; ``scale`` and ``shift`` [B, filters] are the style of an instance normalisation."""
        x, width = inputs, self.padding
        if width:
            x = ops.pad(x, [[0, 0], [width, width], [width, width], [0, 0]], mode="reflect")
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x) if scale is None else self.norm(x, scale, shift)
        return ops.leaky_relu(x, 0.2) if self.activate else x

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), **self._arguments}


@keras.saving.register_keras_serializable(package="keras_reid")
class ResidualBlock(keras.layers.Layer):
    """``x + F(x)``, F two `ReflectConvolution` of 3x3, the second without activation; ``[B, h, w, C] -> [B, h, w, C]``.

    Args:
        channels: C.
        norm: As in `ReflectConvolution`.
        initial_deviation: As in `ReflectConvolution`.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import ResidualBlock
        >>> tuple(ResidualBlock(3, norm="instance")(np.ones((1, 8, 4, 3), "float32")).shape)
        (1, 8, 4, 3)
    """

    def __init__(self, channels: int, norm: str | None = None, initial_deviation: float | None = None, **kwargs):
        super().__init__(**kwargs)
        self._arguments = {"channels": channels, "norm": norm, "initial_deviation": initial_deviation}
        options = {"norm": norm, "initial_deviation": initial_deviation, "dtype": self.dtype_policy}
        self.convolutions = [
            ReflectConvolution(channels, 3, activate=number == 0, name=str(number), **options) for number in range(2)
        ]

    def build(self, input_shape):
        """Creates every variable."""
        for convolution in self.convolutions:
            convolution.build(input_shape)

    def call(self, inputs, scale=None, shift=None):
        """Adds the branch; a style [B, 2 C] holds that of the first convolution, then that of the second."""
        x = inputs
        for number, convolution in enumerate(self.convolutions):
            if scale is None:
                x = convolution(x)
            else:
                own = slice(number * x.shape[-1], (number + 1) * x.shape[-1])
                x = convolution(x, scale[:, own], shift[:, own])
        return inputs + x

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), **self._arguments}


def doubled(maps):
    """Doubles height and width by repeating every pixel, ``[B, h, w, C] -> [B, 2 h, 2 w, C]``.

    Args:
        maps: Tensor with known height and width.

    Returns:
        A tensor of the same type.

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import doubled
        >>> tuple(doubled(np.ones((1, 4, 2, 3), "float32")).shape)
        (1, 8, 4, 3)
    """
    _, height, width, channels = maps.shape
    wide = ops.reshape(ops.stack([maps, maps], axis=3), (-1, height, 2 * width, channels))
    return ops.reshape(ops.stack([wide, wide], axis=2), (-1, 2 * height, 2 * width, channels))


def average_halved(maps):
    """Halves height and width by averages of 3x3 around every second pixel, ``[B, h, w, C] -> [B, h / 2, w / 2, C]``.

    What lies outside of the image is left out of the average.

    Args:
        maps: Tensor with known height and width.

    Returns:
        A tensor of the same type; odd sizes are rounded up.

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.layers import average_halved
        >>> column = np.arange(4, dtype="float32").reshape(1, 4, 1, 1)
        >>> keras.ops.convert_to_numpy(average_halved(column)).ravel()
        array([0.5, 2. ], dtype=float32)
    """

    def sums(x):
        x = ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        return ops.average_pool(x, 3, strides=2, padding="valid", data_format="channels_last")

    inside = ops.ones((1, maps.shape[1], maps.shape[2], 1), dtype=maps.dtype)
    return sums(maps) / sums(inside)
