"""What a method keeps per training identity: a classifier row, a centre. Sized when the identities are known."""

import keras
from keras import ops

__all__ = ["IdentityCentres", "IdentityClassifier"]


@keras.saving.register_keras_serializable(package="keras_reid")
class IdentityClassifier(keras.layers.Layer):
    """Linear classifier, ``[B, D] -> [B, K]`` logits in float32; without bias unless asked for.

    It is made without knowing K; `size` creates its kernel, at construction of the model or at its first ``fit``.

    Args:
        initial_deviation: Standard deviation of the initial weights.
        use_bias: Whether to add a bias, zero at first.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import IdentityClassifier
        >>> classifier = IdentityClassifier()
        >>> classifier.size(features=8, num_classes=5)
        >>> tuple(classifier(np.ones((2, 8), "float32")).shape)
        (2, 5)

    Reference:
        Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPR Workshops 2019 (no
        bias after the batch-norm neck; deviation 0.001 as in the authors' code).
    """

    def __init__(self, initial_deviation: float = 0.001, use_bias: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.initial_deviation = initial_deviation
        self.use_bias = use_bias
        self.kernel = self.bias = None

    def size(self, features: int, num_classes: int) -> None:
        """Creates the kernel [features, num_classes]."""
        self.num_classes = num_classes
        self.build((None, features))

    def build(self, input_shape):
        """Creates the kernel, once `size` has said how many identities there are."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.num_classes),
            initializer=keras.initializers.RandomNormal(stddev=self.initial_deviation),
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.num_classes,), initializer="zeros")

    def call(self, inputs):
        """Multiplies in the compute dtype; the logits are float32."""
        logits = ops.cast(ops.matmul(ops.cast(inputs, self.compute_dtype), self.kernel), "float32")
        return logits if self.bias is None else logits + ops.cast(self.bias, "float32")

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "initial_deviation": self.initial_deviation, "use_bias": self.use_bias}


@keras.saving.register_keras_serializable(package="keras_reid")
class IdentityCentres(keras.layers.Layer):
    """One centre per identity [K, D], float32, moved by the centre loss's own rule and not by a gradient.

    Example:
        >>> from keras_reid.layers import IdentityCentres
        >>> centres = IdentityCentres()
        >>> centres.size(features=8, num_classes=5)
        >>> tuple(centres.centres.shape)
        (5, 8)

    Reference:
        Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016.
    """

    def size(self, features: int, num_classes: int) -> None:
        """Creates the centres."""
        self.num_classes = num_classes
        self.build((None, features))

    def build(self, input_shape):
        """Creates the centres, once `size` has said how many identities there are."""
        self.centres = self.add_weight(
            name="centres",
            shape=(self.num_classes, input_shape[-1]),
            initializer="random_normal",
            trainable=False,
            dtype="float32",
            autocast=False,
        )
