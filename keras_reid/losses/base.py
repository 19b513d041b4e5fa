"""What every loss over anchors shares: labels stay integers, arithmetic is float32, one value per anchor."""

import keras
from keras import ops

__all__ = ["PACKAGE", "ReIDLoss", "integer_labels"]

PACKAGE = "keras_reid"


def integer_labels(labels):
    """Returns ``labels`` as an int32 tensor of shape [B].

    Raises:
        ValueError: They are not integers, or not of shape [B] (perhaps labels and features are swapped).
    """
    labels = ops.convert_to_tensor(labels)
    kind = keras.backend.standardize_dtype(labels.dtype)
    if "int" not in kind or len(labels.shape) != 1:
        raise ValueError(
            "Labels must be integers of shape (B,), one identity per anchor; floats would merge identities in "
            f"half precision. Received: dtype {kind}, shape {tuple(labels.shape)}. Labels come first, features second."
        )
    return ops.cast(labels, "int32")


class Reduction(keras.losses.Loss):
    """Keras' own weighting and reduction, applied to values that are already there."""

    def call(self, y_true, y_pred):
        return y_pred


class ReIDLoss(keras.losses.Loss):
    """Base class of the losses over anchors.

    `keras.losses.Loss` casts labels to its own dtype, and in bfloat16 the identity 1041 becomes 1040. Here labels stay
    int32 and predictions become float32 whatever the policy. ``call(labels, predictions)`` returns one value per anchor
    [B], so ``reduction`` and ``sample_weight`` mean what they mean in Keras.

    Args:
        name: Name of the loss.
        reduction: ``"sum_over_batch_size"``, ``"sum"``, ``"mean"``, ``"mean_with_sample_weight"`` or ``None``.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses.base import ReIDLoss
        >>> class FirstFeature(ReIDLoss):
        ...     def call(self, labels, predictions):
        ...         return predictions[:, 0]
        >>> float(FirstFeature()(np.array([0, 1]), np.array([[1.0], [3.0]])))
        2.0
    """

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.reduce = Reduction(reduction=reduction, dtype="float32")

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Reduces the values of ``call``; the order of arguments is Keras': labels first."""
        y_pred = keras.tree.map_structure(lambda x: ops.convert_to_tensor(x, dtype="float32"), y_pred)
        with keras.name_scope(self.name):
            values = self.call(integer_labels(y_true), y_pred)
            return self.reduce(values, values, sample_weight)
