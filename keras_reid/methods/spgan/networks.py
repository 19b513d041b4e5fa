"""The networks: a generator each way, a discriminator of patches for each site, and the metric network."""

import keras
from keras import ops

from keras_reid.layers import InstanceNormalization
from keras_reid.layers.dropout import seeded_dropout
from keras_reid.layers.unit_vectors import unit_vectors

__all__ = ["Generator", "MetricNetwork", "PatchDiscriminator"]


def _initial():
    """A new initializer per layer: one instance draws the same values at every call."""
    return keras.initializers.RandomNormal(stddev=0.02)


def _convolution(filters, size, strides, name, policy):
    return keras.layers.Conv2D(
        filters, size, strides=strides, data_format="channels_last", kernel_initializer=_initial(), name=name,
        dtype=policy,
    )  # fmt: skip


def _padded(x, width, mode="constant"):
    return ops.pad(x, [[0, 0], [width, width], [width, width], [0, 0]], mode=mode)


@keras.saving.register_keras_serializable(package="keras_reid")
class Generator(keras.layers.Layer):
    """Image to image, [B,H,W,3] in [-1,1] -> [B,H,W,3] in [-1,1]: halved twice, residual blocks, doubled twice.

    Args:
        width: Channels of the first convolution; the middle has four times as many.
        blocks: Number of residual blocks.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.spgan.networks import Generator
        >>> tuple(Generator(width=4, blocks=1)(np.zeros((1, 32, 16, 3), "float32")).shape)
        (1, 32, 16, 3)

    Reference:
        Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017.
    """

    def __init__(self, width: int = 64, blocks: int = 9, **kwargs):
        super().__init__(**kwargs)
        self._arguments = {"width": width, "blocks": blocks}
        policy = self.dtype_policy
        self.norm = InstanceNormalization(name="norm", dtype=policy)
        self.first = _convolution(width, 7, 1, "first", policy)
        self.down = [_convolution(width * 2 ** (n + 1), 3, 2, f"down_{n}", policy) for n in range(2)]
        self.residual = [
            [_convolution(width * 4, 3, 1, f"block_{n}_{part}", policy) for part in range(2)] for n in range(blocks)
        ]
        self.up = [
            keras.layers.Conv2DTranspose(
                width * 2 ** (1 - n), 3, strides=2, padding="same", data_format="channels_last",
                kernel_initializer=_initial(), name=f"up_{n}", dtype=policy,
            )
            for n in range(2)
        ]  # fmt: skip
        self.last = _convolution(3, 7, 1, "last", policy)

    def build(self, input_shape):
        """Creates every variable."""
        width = self._arguments["width"]
        self.first.build((None, None, None, 3))
        for number in range(2):
            self.down[number].build((None, None, None, width * 2**number))
            self.up[number].build((None, None, None, width * 2 ** (2 - number)))
        for block in self.residual:
            for convolution in block:
                convolution.build((None, None, None, width * 4))
        self.last.build((None, None, None, width))
        self.norm.build((None, None, None, width))

    def call(self, images):
        """Translates."""
        x = ops.relu(self.norm(self.first(_padded(images, 3, "reflect"))))
        for down in self.down:
            x = ops.relu(self.norm(down(_padded(x, 1))))
        for one, two in self.residual:
            inner = ops.relu(self.norm(one(_padded(x, 1, "reflect"))))
            x = x + self.norm(two(_padded(inner, 1, "reflect")))
        for up in self.up:
            x = ops.relu(self.norm(up(x)))
        return ops.tanh(ops.cast(self.last(_padded(x, 3, "reflect")), "float32"))

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), **self._arguments}


@keras.saving.register_keras_serializable(package="keras_reid.spgan")
class PatchDiscriminator(keras.layers.Layer):
    """Real or drawn, for every patch: [B,H,W,3] -> [B,H/8-2,W/8-2,1].

    Args:
        width: Channels of the first convolution.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.spgan.networks import PatchDiscriminator
        >>> tuple(PatchDiscriminator(width=4)(np.zeros((1, 64, 32, 3), "float32")).shape)
        (1, 6, 2, 1)

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017.
    """

    def __init__(self, width: int = 64, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        policy = self.dtype_policy
        self.norm = InstanceNormalization(name="norm", dtype=policy)
        plan = [(width, 2), (2 * width, 2), (4 * width, 2), (8 * width, 1), (1, 1)]
        self.convolutions = [
            _convolution(filters, 4, strides, f"conv_{n}", policy) for n, (filters, strides) in enumerate(plan)
        ]

    def build(self, input_shape):
        """Creates every variable."""
        channels = 3
        for convolution in self.convolutions:
            convolution.build((None, None, None, channels))
            channels = convolution.filters
        self.norm.build((None, None, None, self.width))

    def call(self, images):
        """Judges."""
        x = ops.leaky_relu(self.convolutions[0](_padded(images, 1)), 0.2)
        for convolution in self.convolutions[1:-1]:
            x = ops.leaky_relu(self.norm(convolution(_padded(x, 1))), 0.2)
        return ops.cast(self.convolutions[-1](_padded(x, 1)), "float32")

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable(package="keras_reid.spgan")
class MetricNetwork(keras.layers.Layer):
    """What an image shows, whatever its style: [B,H,W,3] in [-1,1] -> unit-norm embeddings [B, width].

    Args:
        width: Channels of the first convolution, and length of the embedding.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.spgan.networks import MetricNetwork
        >>> network = MetricNetwork(width=4)
        >>> network.build((None, 64, 64, 3))
        >>> tuple(network(np.zeros((1, 64, 64, 3), "float32")).shape)
        (1, 4)

    Reference:
        Deng et al., "Image-Image Domain Adaptation with Preserved Self-Similarity and Domain-Dissimilarity for Person
        Re-identification", CVPR 2018.
    """

    def __init__(self, width: int = 64, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        policy = self.dtype_policy
        self.convolutions = [_convolution(width * 2**n, 4, 2, f"conv_{n}", policy) for n in range(3)]
        self.hidden, self.embedding = (
            keras.layers.Dense(units, use_bias=False, kernel_initializer=_initial(), name=name, dtype=policy)
            for units, name in ((2 * width, "hidden"), (width, "embedding"))
        )
        self.dropout = seeded_dropout(0.5, name="dropout", dtype=policy)

    def build(self, input_shape):
        """Creates every variable; height and width matter to the first dense layer."""
        channels, height, width = 3, *input_shape[1:3]
        for convolution in self.convolutions:
            convolution.build((None, None, None, channels))
            channels, height, width = convolution.filters, height // 4, width // 4
        self.hidden.build((None, height * width * channels))
        self.embedding.build((None, 2 * self.width))
        self.dropout.build((None, 2 * self.width))

    def call(self, images, training=False):
        """Embeds."""
        x = images
        for convolution in self.convolutions:
            x = ops.leaky_relu(convolution(_padded(x, 1)), 0.2)
            x = ops.max_pool(x, 2, strides=2, data_format="channels_last")
        x = ops.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3]))
        x = self.dropout(ops.leaky_relu(self.hidden(x), 0.2), training=training)
        return unit_vectors(self.embedding(x))  # dropout may leave nothing of a vector

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width}
