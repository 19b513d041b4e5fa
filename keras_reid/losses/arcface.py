"""ArcFace: identity classification with an angular margin."""

import math

import keras
from keras import ops

from keras_reid.losses.base import PACKAGE, ReIDLoss, integer_labels
from keras_reid.losses.identity import identity_loss

__all__ = ["ArcFaceLoss", "arcface_logits"]


def arcface_logits(labels, cosines, margin: float = 0.5, scale: float = 64.0):
    """Logits whose own identity is moved away by an angle: ``s cos(t + m)`` for it, ``s cos(t)`` for the others.

    Where ``t + m`` would pass 180 degrees, ``cos(t) - m sin(m)`` keeps the own logit falling with ``t``.

    Args:
        labels: Identities, integers [B] in [0, K).
        cosines: Cosines of the features with the identities' directions, [B, K]: the output of
            `keras_reid.layers.CosineClassifier`.
        margin: ``m`` above, in radians.
        scale: ``s`` above.

    Returns:
        float32 [B, K].

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import arcface_logits
        >>> np.round(np.asarray(arcface_logits(np.array([0]), np.array([[1.0, 0.0]]), scale=1.0)), 4)
        array([[0.8776, 0.    ]], dtype=float32)

    Reference:
        Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019.
    """
    cosines = ops.clip(ops.cast(cosines, "float32"), -1.0, 1.0)
    # The floor keeps the gradient finite at angle 0.
    sines = ops.sqrt(ops.maximum(1.0 - ops.square(cosines), 1e-12))
    moved = cosines * math.cos(margin) - sines * math.sin(margin)
    moved = ops.where(cosines > -math.cos(margin), moved, cosines - margin * math.sin(margin))
    own = ops.one_hot(integer_labels(labels), cosines.shape[-1], dtype="bool")
    return scale * ops.where(own, moved, cosines)


@keras.saving.register_keras_serializable(package=PACKAGE)
class ArcFaceLoss(ReIDLoss):
    """Cross-entropy of `arcface_logits`; the prediction is the matrix of cosines.

    Args:
        margin: Angular margin in radians.
        scale: Factor of the logits.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import ArcFaceLoss
        >>> bool(ArcFaceLoss()(np.array([0]), np.array([[1.0, 0.0]])) < 1e-6)
        True

    Reference:
        Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019.
    """

    def __init__(
        self,
        margin: float = 0.5,
        scale: float = 64.0,
        name: str | None = "arcface_loss",
        reduction: str | None = "sum_over_batch_size",
    ):
        super().__init__(name=name, reduction=reduction)
        self.margin, self.scale = margin, scale

    def call(self, y_true, y_pred):
        """One value per anchor."""
        return identity_loss(y_true, arcface_logits(y_true, y_pred, self.margin, self.scale), 0.0)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "margin": self.margin, "scale": self.scale}
