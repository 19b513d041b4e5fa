"""The classifier that losses with an angular margin need."""

import keras
from keras import ops

from keras_reid.checks import check_positive_int
from keras_reid.layers.unit_vectors import unit_vectors

__all__ = ["CosineClassifier"]


@keras.saving.register_keras_serializable(package="keras_reid")
class CosineClassifier(keras.layers.Layer):
    """Cosine of each feature with the direction of each identity, ``[B, D] -> [B, K]``, in float32.

    Args:
        num_classes: ``K``, the number of training identities; ``None`` if `size` will say it, as in
            `IdentityClassifier`.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``).

    Raises:
        ValueError: ``num_classes`` is not an integer of at least 1.

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import CosineClassifier
        >>> tuple(CosineClassifier(5)(np.ones((2, 8), "float32")).shape)
        (2, 5)

    Reference:
        Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019.
    """

    def __init__(self, num_classes: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = None if num_classes is None else check_positive_int("num_classes", num_classes)

    def size(self, features: int, num_classes: int) -> None:
        """Creates the directions [features, num_classes]."""
        self.num_classes = check_positive_int("num_classes", num_classes)
        self.build((None, features))

    def build(self, input_shape):
        """Creates the directions."""
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.num_classes), initializer="glorot_uniform", autocast=False
        )

    def call(self, inputs):
        """Normalises both sides and multiplies."""
        features = unit_vectors(inputs)
        return ops.matmul(features, unit_vectors(self.kernel, axis=0))

    def compute_output_shape(self, input_shape):
        """One cosine per identity."""
        return (input_shape[0], self.num_classes)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "num_classes": self.num_classes}
