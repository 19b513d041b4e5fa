"""Residual blocks with torchvision's arithmetic, plain or with instance normalisation (IBN-Net).

Every sub-layer bears torchvision's name, so that a variable's path is the torchvision name with
``/`` for ``.``.
"""

import keras
from keras import ops

__all__ = ["BasicBlock", "Bottleneck", "InstanceBatchNormalization"]

PACKAGE = "keras_reid"


def convolution(kernel_size: int, filters: int, strides: int, name: str, dtype) -> keras.layers.Conv2D:
    """Bias-free and initialised as torchvision does; a strided one expects `padded` input."""
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        data_format="channels_last",
        use_bias=False,
        # A new initializer per layer: one instance draws the same values at every call.
        kernel_initializer=keras.initializers.VarianceScaling(
            scale=2.0, mode="fan_out", distribution="untruncated_normal"
        ),
        name=name,
        dtype=dtype,
    )


def batch_norm(name: str, dtype) -> keras.layers.BatchNormalization:
    """Batch normalisation with torch's constants (torch's momentum 0.1 is Keras's 0.9)."""
    return keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=name, dtype=dtype)


def instance_norm(name: str, dtype) -> keras.layers.GroupNormalization:
    """Affine instance normalisation without running statistics, torch's epsilon."""
    return keras.layers.GroupNormalization(groups=-1, epsilon=1e-5, name=name, dtype=dtype)


def padded(maps, width: int):
    """Zeros on all four sides: 'same' would pad a strided layer at the right and bottom only."""
    return ops.pad(maps, [[0, 0], [width, width], [width, width], [0, 0]])


def instance_batch_norm(name: str, dtype) -> "InstanceBatchNormalization":
    """IBN-a's split norm."""
    return InstanceBatchNormalization(name=name, dtype=dtype)


@keras.saving.register_keras_serializable(package=PACKAGE)
class InstanceBatchNormalization(keras.layers.Layer):
    """Instance norm of the first half of the channels, batch norm of the rest (IBN-a).

    ``[B, h, w, C] -> [B, h, w, C]``; the first ``C // 2`` channels lose the style of their image,
    the others keep what distinguishes images.

    Args:
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.backbones.blocks import InstanceBatchNormalization
        >>> tuple(InstanceBatchNormalization()(np.ones((2, 4, 4, 6), "float32")).shape)
        (2, 4, 4, 6)

    Reference:
        Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net",
        ECCV 2018.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.instance = instance_norm("IN", self.dtype_policy)
        self.batch = batch_norm("BN", self.dtype_policy)

    def build(self, input_shape):
        """Creates both halves' variables."""
        *front, channels = input_shape
        self.half = channels // 2
        self.instance.build((*front, self.half))
        self.batch.build((*front, channels - self.half))

    def call(self, inputs, training=None):
        """Normalises both halves and joins them again."""
        first = self.instance(inputs[..., : self.half])
        second = self.batch(inputs[..., self.half :], training=training)
        return ops.concatenate([first, second], axis=-1)

    def compute_output_shape(self, input_shape):
        """The shape stays."""
        return input_shape


class Shortcut(keras.layers.Layer):
    """The 1x1 projection and its norm beside a block that changes resolution or width."""

    def __init__(self, filters: int, strides: int, **kwargs):
        super().__init__(**kwargs)
        self.conv = convolution(1, filters, strides, "0", self.dtype_policy)
        self.norm = batch_norm("1", self.dtype_policy)
        self.filters = filters

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.norm.build((None, None, None, self.filters))

    def call(self, inputs, training=None):
        return self.norm(self.conv(inputs), training=training)


class ResidualBlock(keras.layers.Layer):
    """What both blocks share: ``relu(F(x) + shortcut(x))``, and IBN-b's norm before that ReLU.

    ``branch`` lists the (kernel size, filters, strides) of the convolutions of ``F`` in order.
    """

    def __init__(self, in_channels: int, branch: list[tuple[int, int, int]], ibn: str | None, **kwargs):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.in_channels, self.num_channels = in_channels, branch[-1][1]
        strides = max(step for _, _, step in branch)
        self.convolutions, self.norms = [], []
        for number, (kernel_size, filters, step) in enumerate(branch, start=1):
            self.convolutions.append(convolution(kernel_size, filters, step, f"conv{number}", policy))
            split = ibn == "a" and number == 1
            normalization = instance_batch_norm if split else batch_norm
            self.norms.append(normalization(f"bn{number}", policy))
        self.downsample = None
        if strides != 1 or in_channels != self.num_channels:
            self.downsample = Shortcut(self.num_channels, strides, name="downsample", dtype=policy)
        self.final_norm = instance_norm("IN", policy) if ibn == "b" else None

    def build(self, input_shape):
        """Creates every variable; only the number of channels matters."""
        channels = self.in_channels
        for convolve, normalize in zip(self.convolutions, self.norms, strict=True):
            convolve.build((None, None, None, channels))
            channels = convolve.filters
            normalize.build((None, None, None, channels))
        if self.downsample is not None:
            self.downsample.build((None, None, None, self.in_channels))
        if self.final_norm is not None:
            self.final_norm.build((None, None, None, channels))

    def call(self, inputs, training=None):
        """Adds the branch to the shortcut."""
        x = inputs
        for convolve, normalize in zip(self.convolutions, self.norms, strict=True):
            x = x if convolve is self.convolutions[0] else ops.relu(x)
            x = padded(x, 1) if convolve.strides != (1, 1) else x
            x = normalize(convolve(x), training=training)
        x = x + (inputs if self.downsample is None else self.downsample(inputs, training=training))
        return ops.relu(x if self.final_norm is None else self.final_norm(x))


@keras.saving.register_keras_serializable(package=PACKAGE)
class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions and a shortcut: the block of ResNet-18 and -34.

    ``[B, h, w, in_channels] -> [B, ceil(h / strides), ceil(w / strides), width]``.

    Args:
        in_channels: Channels of the input.
        width: Channels of both convolutions.
        strides: Stride of the first convolution and of the shortcut.
        ibn: ``"a"`` splits the first norm, ``"b"`` adds an instance norm before the last ReLU.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.backbones.blocks import BasicBlock
        >>> tuple(BasicBlock(8, 16, strides=2)(np.ones((1, 6, 4, 8), "float32")).shape)
        (1, 3, 2, 16)

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, strides: int = 1, ibn: str | None = None, **kwargs):
        super().__init__(in_channels, [(3, width, strides), (3, width, 1)], ibn, **kwargs)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions and a shortcut; the stride sits on the 3x3, as in torchvision.

    ``[B, h, w, in_channels] -> [B, ceil(h / strides), ceil(w / strides), 4 * width]``.

    Args:
        in_channels: Channels of the input.
        width: Channels of the first two convolutions.
        strides: Stride of the 3x3 convolution and of the shortcut.
        ibn: ``"a"`` splits the first norm, ``"b"`` adds an instance norm before the last ReLU.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.backbones.blocks import Bottleneck
        >>> tuple(Bottleneck(8, 4, strides=2)(np.ones((1, 6, 4, 8), "float32")).shape)
        (1, 3, 2, 16)

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, strides: int = 1, ibn: str | None = None, **kwargs):
        branch = [(1, width, 1), (3, width, strides), (1, self.expansion * width, 1)]
        super().__init__(in_channels, branch, ibn, **kwargs)
