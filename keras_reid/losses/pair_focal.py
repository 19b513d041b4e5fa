"""Focal loss over the pairs of a batch with a class memory."""

import keras
from keras import ops

from keras_reid.losses.base import PACKAGE, ReIDLoss, integer_labels

__all__ = ["PairFocalLoss", "pair_focal_loss"]


def pair_focal_loss(labels, logits, valid=None, gamma: float = 2.0):
    r"""Focal binary cross-entropy of each anchor with every identity, summed over the identities.

    ``l_i = sum_j v_j (1 - q_ij)^g (-log q_ij)``, where ``q_ij`` is ``sigmoid(logit_ij)`` for the anchor's own identity
    and ``1 - sigmoid(logit_ij)`` for the others.

    Args:
        labels: Identities, integers [B] in [0, K).
        logits: Of each anchor with each identity, [B, K], of any float type; computed in float32.
        valid: ``v`` above, [K]: 0 where an identity is not known yet; ``None`` counts all.
        gamma: ``g`` above; 0 is the plain cross-entropy.

    Returns:
        float32 [B].

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import pair_focal_loss
        >>> round(float(pair_focal_loss(np.array([0]), np.zeros((1, 2)), gamma=0.0)[0]), 4)
        1.3863

    Reference:
        Liao and Shao, "Interpretable and Generalizable Person Re-Identification with Query-Adaptive Convolution and
        Temporal Lifting", ECCV 2020, after Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
    """
    logits = ops.cast(logits, "float32")
    own = ops.one_hot(integer_labels(labels), logits.shape[-1], dtype="bool")
    wrong = ops.where(own, -logits, logits)  # log-odds of the wrong answer
    values = ops.sigmoid(wrong) ** gamma * ops.softplus(wrong)
    return ops.sum(values if valid is None else values * ops.cast(valid, "float32"), axis=-1)


@keras.saving.register_keras_serializable(package=PACKAGE)
class PairFocalLoss(ReIDLoss):
    """`pair_focal_loss` over all identities as a Keras loss.

    Args:
        gamma: Exponent of the modulating factor.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import PairFocalLoss
        >>> round(float(PairFocalLoss(gamma=0.0)(np.array([0]), np.zeros((1, 2)))), 4)
        1.3863

    Reference:
        Liao and Shao, "Interpretable and Generalizable Person Re-Identification with Query-Adaptive Convolution and
        Temporal Lifting", ECCV 2020.
    """

    def __init__(
        self,
        gamma: float = 2.0,
        name: str | None = "pair_focal_loss",
        reduction: str | None = "sum_over_batch_size",
    ):
        super().__init__(name=name, reduction=reduction)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        """One value per anchor."""
        return pair_focal_loss(y_true, y_pred, gamma=self.gamma)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "gamma": self.gamma}
