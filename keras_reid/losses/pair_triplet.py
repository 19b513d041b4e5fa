"""Hard triplet loss on the scores of pairs, for matchers that give no embedding."""

import keras
from keras import ops

from keras_reid.losses.base import PACKAGE, ReIDLoss
from keras_reid.losses.triplet import pair_masks

__all__ = ["PairTripletLoss", "pair_hard_triplet"]


def score_gaps(labels, scores):
    """Lowest positive minus highest negative score [B], 0 where there is no triplet, and which anchors have one."""
    positive, negative = pair_masks(labels)
    scores = ops.cast(scores, "float32")
    # Finite stand-ins: infinities would make the gradient NaN.
    hardest_positive = ops.min(ops.where(positive, scores, 1e9), axis=1)
    hardest_negative = ops.max(ops.where(negative, scores, -1e9), axis=1)
    valid = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return ops.where(valid, hardest_positive - hardest_negative, 0.0), valid


def pair_hard_triplet(labels, scores, margin: float = 16.0):
    """Triplet loss of each anchor with its least similar positive and its most similar negative in the batch.

    ``l_i = max(0, m - min_p s_ip + max_n s_in)``; an anchor is not its own positive. An anchor without a positive or
    without a negative has loss 0 (`keras_reid.losses.valid_anchors` says which).

    Args:
        labels: Identities, integers [B].
        scores: Of every pair of the batch, higher is more similar, [B, B], of any float type; computed in float32.
        margin: ``m`` above, in units of the scores.

    Returns:
        float32 [B].

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import pair_hard_triplet
        >>> scores = np.array([[9.0, 5.0, 2.0], [5.0, 9.0, -8.0], [2.0, -8.0, 9.0]])
        >>> np.asarray(pair_hard_triplet(np.array([0, 0, 1]), scores, margin=10.0))
        array([7., 0., 0.], dtype=float32)

    Reference:
        Liao and Shao, "Graph Sampling Based Deep Metric Learning for Generalizable Person Re-Identification", CVPR
        2022; the margin of 16 and the missing positive as in the authors' code.
    """
    gaps, valid = score_gaps(labels, scores)
    return ops.where(valid, ops.relu(margin - gaps), 0.0)


@keras.saving.register_keras_serializable(package=PACKAGE)
class PairTripletLoss(ReIDLoss):
    """`pair_hard_triplet` as a Keras loss; the prediction is the matrix of scores.

    Args:
        margin: The margin, in units of the scores.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`. The default averages over all anchors of the batch.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import PairTripletLoss
        >>> float(PairTripletLoss()(np.array([0, 0, 1, 1]), np.zeros((4, 4))))
        16.0

    Reference:
        Liao and Shao, "Graph Sampling Based Deep Metric Learning for Generalizable Person Re-Identification", CVPR
        2022.
    """

    def __init__(
        self,
        margin: float = 16.0,
        name: str | None = "pair_triplet_loss",
        reduction: str | None = "sum_over_batch_size",
    ):
        super().__init__(name=name, reduction=reduction)
        self.margin = margin

    def call(self, y_true, y_pred):
        """One value per anchor."""
        return pair_hard_triplet(y_true, y_pred, self.margin)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "margin": self.margin}
