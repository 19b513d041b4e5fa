"""D: whether the patches of an image look real, at three resolutions."""

import keras

from keras_reid.layers import ReflectConvolution, ResidualBlock, average_halved
from keras_reid.methods.dgnet.structure import convolution_variables

__all__ = ["Discriminator", "PatchDiscriminator"]


@keras.saving.register_keras_serializable(package="keras_reid")
class PatchDiscriminator(keras.layers.Layer):
    """Convolutions and residual blocks without normalisation, ``[B, H, W, 3] -> [B, H / 4, W / 4, 1]``.

    Args:
        width: Channels of the first convolution.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).
    """

    def __init__(self, width: int = 32, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        options = {"initial_deviation": 0.02, "dtype": self.dtype_policy}
        shape = ((width, 1, 1), (width, 3, 1), (width, 3, 2), (width, 3, 1), (2 * width, 3, 2))
        self.convolutions = [
            ReflectConvolution(filters, kernel_size, strides=strides, name=f"conv{number}", **options)
            for number, (filters, kernel_size, strides) in enumerate(shape)
        ]
        self.blocks = [ResidualBlock(2 * width, name=f"block{number}", **options) for number in range(4)]
        self.judge = ReflectConvolution(1, 1, activate=False, name="judge", **options)

    def build(self, input_shape):
        """Creates every variable."""
        channels = input_shape[-1]
        for layer in self.convolutions:
            layer.build((None, None, None, channels))
            channels = layer.conv.filters
        for layer in (*self.blocks, self.judge):
            layer.build((None, None, None, channels))

    def call(self, images):
        """One number per patch, high for real."""
        x = images
        for layer in (*self.convolutions, *self.blocks, self.judge):
            x = layer(x)
        return x

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable(package="keras_reid")
class Discriminator(keras.layers.Layer):
    """`PatchDiscriminator` with weights of its own for the image, its half and its quarter resolution.

    ``[B, H, W, 3]`` -> a list of ``[B, H / 4, W / 4, 1]``, ``[B, H / 8, W / 8, 1]`` and ``[B, H / 16, W / 16, 1]``.

    Args:
        width: Channels of the first convolutions.
        scales: Number of resolutions.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.dgnet import Discriminator
        >>> [tuple(patches.shape) for patches in Discriminator(4)(np.ones((1, 64, 32, 3), "float32"))]
        [(1, 16, 8, 1), (1, 8, 4, 1), (1, 4, 2, 1)]

    Reference:
        Zheng et al., "Joint Discriminative and Generative Learning for Person Re-identification", CVPR 2019, table 8.
    """

    def __init__(self, width: int = 32, scales: int = 3, **kwargs):
        super().__init__(**kwargs)
        self.width, self.scales = width, scales
        self.copies = [
            PatchDiscriminator(width, name=f"scale{number}", dtype=self.dtype_policy) for number in range(scales)
        ]

    def build(self, input_shape):
        """Creates every variable."""
        for copy in self.copies:
            copy.build(input_shape)

    def at_scale(self, images, scale: int):
        """The patches' numbers of one resolution alone."""
        for _ in range(scale):
            images = average_halved(images)
        return self.copies[scale](images)

    def call(self, images):
        """The patches' numbers of every resolution."""
        found = []
        for number, copy in enumerate(self.copies):
            images = images if number == 0 else average_halved(images)
            found.append(copy(images))
        return found

    def torch_variables(self) -> dict[str, list]:
        """Every variable by the name that the authors' checkpoints give it."""
        variables = {}
        for number, copy in enumerate(self.copies):
            blocks = {f"cnns.{number}.{place}": layer for place, layer in enumerate(copy.convolutions)}
            for place, block in enumerate(copy.blocks, start=5):
                blocks |= {
                    f"cnns.{number}.{place}.model.{half}": convolution
                    for half, convolution in enumerate(block.convolutions)
                }
            variables |= convolution_variables(blocks)
            variables |= {
                f"cnns.{number}.9.weight": [copy.judge.conv.kernel],
                f"cnns.{number}.9.bias": [copy.judge.conv.bias],
            }
        return variables

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width, "scales": self.scales}
