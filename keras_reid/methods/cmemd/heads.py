"""From the maps of the local stream to features of several granularities."""

import keras
from keras import ops

from keras_reid.layers import GeMPooling, IdentityClassifier

__all__ = ["HolisticFeature", "PartClassifiers", "StripeHead", "accumulated"]


class StripeHead(keras.layers.Layer):
    """Equal horizontal stripes, each pooled and projected by itself, ``[B, h, w, C] -> [B, p, d]``.

    ``l_k = relu(BN_k(W_k GeM(stripe k)))``, the stripes from top to bottom.

    Args:
        stripes: p, a divisor of h.
        channels: d.
        exponent: Initial exponent of the generalised mean, which all stripes share.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.cmemd.heads import StripeHead
        >>> tuple(StripeHead(stripes=3, channels=8)(np.ones((2, 6, 3, 16), "float32")).shape)
        (2, 3, 8)

    Reference:
        That there are local features is the paper's (caption of figure 2); their form is our choice, after Sun et al.,
        "Beyond Part Models: Person Retrieval with Refined Part Pooling", ECCV 2018.
    """

    def __init__(self, stripes: int, channels: int, exponent: float = 3.0, **kwargs):
        super().__init__(**kwargs)
        self.stripes, self.channels = stripes, channels
        self.pooling = GeMPooling(exponent, name="pooling", dtype=self.dtype_policy)
        self.norm = keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="norm", dtype=self.dtype_policy)

    def build(self, input_shape):
        """Creates one projection per stripe."""
        channels = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.stripes, channels, self.channels),
            # Keras would count the stripes into the fan.
            initializer=keras.initializers.RandomNormal(stddev=(2.0 / channels) ** 0.5),
        )
        self.pooling.build((None, None, None, channels))
        self.norm.build((None, self.stripes * self.channels))

    def call(self, maps, training=None):
        """Cuts, pools, projects."""
        rows, columns, channels = maps.shape[1:]
        # Rows are neighbours in memory, so stripes may stand as images of their own.
        stripes = ops.reshape(maps, (-1, rows // self.stripes, columns, channels))
        pooled = ops.reshape(self.pooling(stripes), (-1, self.stripes, channels))
        parts = ops.einsum("bpc,pcd->bpd", pooled, self.kernel)
        # One norm over all channels of all stripes is one norm per stripe.
        parts = self.norm(ops.reshape(parts, (-1, self.stripes * self.channels)), training=training)
        return ops.relu(ops.reshape(parts, (-1, self.stripes, self.channels)))


def accumulated(parts):
    """Running means of the stripes from the top, ``a_k = (l_1 + ... + l_k) / k`` for k = 2..p.

    Granularity grows from one stripe (``l_1``) to the whole body (``a_p``) at one width.

    Args:
        parts: [B, p, d].

    Returns:
        [B, p - 1, d].

    Example:
        >>> import keras
        >>> from keras_reid.methods.cmemd.heads import accumulated
        >>> keras.ops.convert_to_numpy(accumulated(keras.ops.convert_to_tensor([[[2.0], [4.0], [9.0]]])))[0, :, 0]
        array([3., 5.], dtype=float32)

    Reference:
        The name is the paper's (caption of figure 2), the running mean our choice.
    """
    counts = ops.arange(1, parts.shape[1] + 1, dtype="float32")[:, None]
    return (ops.cumsum(parts, axis=1) / counts)[:, 1:]


class HolisticFeature(keras.layers.Layer):
    """Weighted stripes side by side, ``[B, p, d] -> [B, p * d]``.

    ``h = (w_1 l_1, ..., w_p l_p)`` with trained ``w = p softmax(u)``.

    Args:
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``). Equal weights are the initial ones;
            with ``trainable=False`` they remain.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from keras_reid.methods.cmemd.heads import HolisticFeature
        >>> keras.ops.convert_to_numpy(HolisticFeature()(np.float32([[[1, 2], [3, 4]]])))
        array([[1., 2., 3., 4.]], dtype=float32)

    Reference:
        The weighted concatenation is the paper's (caption of figure 2), the weights' form our choice.
    """

    def build(self, input_shape):
        """Creates the logits of the weights."""
        self.logits = self.add_weight(
            name="logits", shape=(input_shape[1],), initializer="zeros", dtype="float32", autocast=False
        )

    def call(self, parts):
        """Weights and concatenates, in float32."""
        stripes, channels = parts.shape[1:]
        weights = stripes * ops.softmax(ops.convert_to_tensor(self.logits))
        return ops.reshape(ops.cast(parts, "float32") * weights[:, None], (-1, stripes * channels))


class PartClassifiers(IdentityClassifier):
    """One linear classifier per part without bias, ``[B, s, d] -> [B, s, K]`` logits in float32.

    Args:
        initial_deviation: As in `keras_reid.layers.IdentityClassifier`.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.cmemd.heads import PartClassifiers
        >>> classifiers = PartClassifiers()
        >>> classifiers.size_parts(parts=3, features=8, num_classes=5)
        >>> tuple(classifiers(np.ones((2, 3, 8), "float32")).shape)
        (2, 3, 5)
    """

    def size_parts(self, parts: int, features: int, num_classes: int) -> None:
        """Creates the kernels [parts, features, num_classes]."""
        self.num_classes = num_classes
        self.build((None, parts, features))

    def build(self, input_shape):
        """Creates the kernels, once `size_parts` has said how many identities there are."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*input_shape[1:], self.num_classes),
            initializer=keras.initializers.RandomNormal(stddev=self.initial_deviation),
        )

    def call(self, inputs):
        """Multiplies in the compute dtype; the logits are float32."""
        return ops.cast(ops.einsum("bsd,sdk->bsk", ops.cast(inputs, self.compute_dtype), self.kernel), "float32")
