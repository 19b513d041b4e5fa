"""G: a structure dressed in an appearance."""

import keras
from keras import ops

from keras_reid.layers import ReflectConvolution, ResidualBlock, doubled
from keras_reid.methods.dgnet.structure import convolution_variables

__all__ = ["Decoder", "StyleNetwork"]

PARTS = 4


@keras.saving.register_keras_serializable(package="keras_reid")
class StyleNetwork(keras.layers.Layer):
    """Three dense layers from a slice of the appearance code to the scales or shifts of a residual block.

    ``[B, D] -> [B, outputs]``, leaky ReLU of slope 0.2 after the first two.

    Args:
        width: Units of the first two layers.
        outputs: Units of the last.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).
    """

    def __init__(self, width: int, outputs: int, **kwargs):
        super().__init__(**kwargs)
        self.width, self.outputs = width, outputs
        self.layers = [
            keras.layers.Dense(
                units,
                kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal"),
                name=str(number),
                dtype=self.dtype_policy,
            )
            for number, units in enumerate((width, width, outputs))
        ]

    def build(self, input_shape):
        """Creates every variable."""
        features = input_shape[-1]
        for layer in self.layers:
            layer.build((None, features))
            features = layer.units

    def call(self, inputs):
        """Runs the layers."""
        first, second, last = self.layers
        return last(ops.leaky_relu(second(ops.leaky_relu(first(inputs), 0.2)), 0.2))

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width, "outputs": self.outputs}


@keras.saving.register_keras_serializable(package="keras_reid")
class Decoder(keras.layers.Layer):
    """Residual blocks with adaptive instance norms, then two doublings of the resolution: codes to images.

    Structure codes [B, h, w, C] and appearance codes [B, 4, D] -> normalised images [B, 4 h, 4 w, 3], float32. Slice i
    of the appearance code sets scales and shifts in residual block i, by two `StyleNetwork` of its own.

    Args:
        channels: C.
        features: D.
        style_width: Width of the style networks.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.dgnet import Decoder
        >>> structure, appearance = np.ones((1, 16, 10, 32), "float32"), np.ones((1, 4, 6), "float32")
        >>> tuple(Decoder(32, 6, style_width=8)([structure, appearance]).shape)
        (1, 64, 40, 3)

    Reference:
        Zheng et al., "Joint Discriminative and Generative Learning for Person Re-identification", CVPR 2019, table 7.
    """

    def __init__(self, channels: int = 128, features: int = 2048, style_width: int = 512, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.features, self.style_width = channels, features, style_width
        policy = {"dtype": self.dtype_policy}
        self.blocks = [ResidualBlock(channels, norm="instance", name=f"block{n}", **policy) for n in range(PARTS)]
        self.scales, self.shifts = (
            [StyleNetwork(style_width, 2 * channels, name=f"{kind}{n}", **policy) for n in range(PARTS)]
            for kind in ("scale", "shift")
        )
        half, quarter = channels // 2, channels // 4
        self.upward = [
            ReflectConvolution(filters, 5, norm="sample", name=f"up{number}", **policy)
            for number, filters in enumerate((half, quarter))
        ]
        self.refine = [ReflectConvolution(quarter, 3, name=f"refine{number}", **policy) for number in range(2)]
        self.paint = ReflectConvolution(3, 1, activate=False, name="paint", dtype="float32")

    def build(self, input_shape):
        """Creates every variable."""
        del input_shape
        half, quarter = self.channels // 2, self.channels // 4
        for block in self.blocks:
            block.build((None, None, None, self.channels))
        for network in (*self.scales, *self.shifts):
            network.build((None, self.features))
        for layer, channels in zip(
            (*self.upward, *self.refine, self.paint), (self.channels, half, quarter, quarter, quarter), strict=True
        ):
            layer.build((None, None, None, channels))

    def call(self, inputs):
        """[structure codes, appearance codes] -> normalised images."""
        x, appearance = inputs
        for number, block in enumerate(self.blocks):
            own = appearance[:, number]
            x = block(x, self.scales[number](own), self.shifts[number](own))
        for layer in self.upward:
            x = layer(doubled(x))
        for layer in self.refine:
            x = layer(x)
        return self.paint(x)

    def torch_variables(self) -> dict[str, list]:
        """Every variable by the name that the authors' checkpoints give it."""
        blocks = {
            f"dec.model.1.model.{number}.model.{half}": convolution
            for number, block in enumerate(self.blocks)
            for half, convolution in enumerate(block.convolutions)
        }
        last = zip((3, 5, 6, 7, 8), (*self.upward, *self.refine, self.paint), strict=True)
        variables = convolution_variables(blocks | {f"dec.model.{number}": layer for number, layer in last})
        for kind, networks in (("w", self.scales), ("b", self.shifts)):
            for number, network in enumerate(networks, start=1):
                for place, layer in enumerate(network.layers):
                    name = f"mlp_{kind}{number}.model.{place}.fc"
                    variables |= {f"{name}.weight": [layer.kernel], f"{name}.bias": [layer.bias]}
        return variables

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "features": self.features,
            "style_width": self.style_width,
        }
