"""The batch-normalisation neck between the metric losses and the classifier."""

import keras

__all__ = ["BNNeck"]


@keras.saving.register_keras_serializable(package="keras_reid")
class BNNeck(keras.layers.BatchNormalization):
    """Batch normalisation without a shift, ``[B, D] -> [B, D]``.

    Metric losses act on its input, the classifier and retrieval on its output; without the shift the classes surround
    the origin, so that cosine similarity and the classifier agree. Epsilon 1e-5, momentum 0.9 (torch's 0.1). Keras
    keeps the biased moving variance where torch keeps the unbiased one: a factor ``(n - 1) / n`` for batches of ``n``.

    Args:
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import BNNeck
        >>> neck = BNNeck()
        >>> tuple(neck(np.ones((4, 8), "float32")).shape), len(neck.trainable_variables)
        ((4, 8), 1)

    Reference:
        Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-Identification", CVPR Workshops 2019.
    """

    def __init__(self, **kwargs):
        super().__init__(center=False, epsilon=1e-5, momentum=0.9, **kwargs)

    def get_config(self):
        """The constructor's arguments."""
        return keras.layers.Layer.get_config(self)
