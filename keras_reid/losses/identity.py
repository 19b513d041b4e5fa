"""Identity classification: cross-entropy with label smoothing."""

import keras
from keras import ops

from keras_reid.losses.base import PACKAGE, ReIDLoss, integer_labels

__all__ = ["IdentityLoss", "identity_loss"]


def identity_loss(labels, logits, label_smoothing: float = 0.1):
    r"""Cross-entropy of each anchor with smoothed labels.

    ``l_i = -(1 - e) log p_i[y_i] - (e / K) sum_k log p_i[k]``, ``p_i`` the softmax of the logits over ``K`` identities.

    Args:
        labels: Identities, integers [B] in [0, K).
        logits: [B, K], of any float type; computed in float32.
        label_smoothing: ``e`` above, in [0, 1).

    Returns:
        float32 [B].

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> from keras_reid.losses import identity_loss
        >>> round(float(identity_loss([0], [[0.0, 0.0]])[0]), 4)
        0.6931

    Reference:
        Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016; in re-ID: Luo et al.,
        "Bag of Tricks and a Strong Baseline for Deep Person Re-Identification", CVPR Workshops 2019 (e = 0.1).
    """
    labels = integer_labels(labels)
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    own = ops.take_along_axis(log_probabilities, labels[:, None], axis=-1)[:, 0]
    return -(1.0 - label_smoothing) * own - label_smoothing * ops.mean(log_probabilities, axis=-1)


@keras.saving.register_keras_serializable(package=PACKAGE)
class IdentityLoss(ReIDLoss):
    """Cross-entropy with label smoothing, `identity_loss` as a Keras loss.

    Args:
        label_smoothing: Share of the target spread evenly over all identities, in [0, 1).
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.

    Raises:
        ValueError: ``label_smoothing`` is outside [0, 1).

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import IdentityLoss
        >>> round(float(IdentityLoss()(np.array([0, 1]), np.zeros((2, 4)))), 4)
        1.3863

    Reference:
        Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-Identification", CVPR Workshops 2019.
    """

    def __init__(
        self,
        label_smoothing: float = 0.1,
        name: str | None = "identity_loss",
        reduction: str | None = "sum_over_batch_size",
    ):
        super().__init__(name=name, reduction=reduction)
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(f"`label_smoothing` must be in [0, 1). Received: {label_smoothing!r}.")
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        """One value per anchor."""
        return identity_loss(y_true, y_pred, self.label_smoothing)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
