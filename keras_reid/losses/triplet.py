"""Triplet loss with the hardest positive and the hardest negative of the batch."""

import keras
import numpy as np
from keras import ops

from keras_reid.losses.base import PACKAGE, ReIDLoss, integer_labels
from keras_reid.losses.distances import euclidean_distances, squared_distances

__all__ = ["TripletLoss", "active_fraction", "batch_hard_triplet", "check_positives", "pair_masks", "valid_anchors"]


def pair_masks(labels):
    """Which pairs of a batch are positive (same identity, not itself) and which negative.

    Args:
        labels: Identities, integers [B].

    Returns:
        (positive, negative), both bool [B, B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses.triplet import pair_masks
        >>> positive, negative = pair_masks(np.array([7, 7, 8]))
        >>> np.asarray(positive).sum(), np.asarray(negative).sum()
        (np.int64(2), np.int64(4))
    """
    labels = integer_labels(labels)
    same = ops.equal(labels[:, None], labels[None, :])
    places = ops.arange(ops.shape(labels)[0])
    itself = ops.equal(places[:, None], places[None, :])
    return ops.logical_and(same, ops.logical_not(itself)), ops.logical_not(same)


def valid_anchors(labels):
    """Which anchors have a positive and a negative in the batch; the others' triplet loss is 0.

    As ``sample_weight`` with ``reduction="mean_with_sample_weight"`` it averages over these anchors only.

    Args:
        labels: Identities, integers [B].

    Returns:
        bool [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import valid_anchors
        >>> np.asarray(valid_anchors(np.array([7, 7, 8])))
        array([ True,  True, False])
    """
    positive, negative = pair_masks(labels)
    return ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))


def check_positives(labels) -> None:
    """Raises if no image of the batch has another one of its identity; for concrete labels, outside of traced code.

    Args:
        labels: Identities, integers [B].

    Raises:
        ValueError: The batch has no positive pair, so that no triplet exists.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import check_positives
        >>> check_positives(np.array([7, 7, 8]))
    """
    labels = np.asarray(labels)
    if len(np.unique(labels)) == len(labels):
        raise ValueError(
            f"batch without positives: each of its {len(labels)} images shows another identity, so no triplet exists. "
            "Expected at least two images of one identity. Sample with a PK sampler, e.g. PKSampler(16, 4)."
        )


def distance_gaps(labels, features, squared=False):
    """Hardest positive minus hardest negative distance [B], 0 where there is no triplet, and `valid_anchors`."""
    positive, negative = pair_masks(labels)
    distances = (squared_distances if squared else euclidean_distances)(features, features)
    farthest_positive = ops.max(ops.where(positive, distances, 0.0), axis=1)
    # A finite stand-in: infinity would make the gradient NaN where no negative exists.
    nearest_negative = ops.min(ops.where(negative, distances, 1e9), axis=1)
    valid = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return ops.where(valid, farthest_positive - nearest_negative, 0.0), valid


def batch_hard_triplet(labels, features, margin: float | None = 0.3, squared: bool = False):
    """Triplet loss of each anchor with its farthest positive and its nearest negative in the batch.

    ``l_a = max(0, m + max_p d(a, p) - min_n d(a, n))``, or, with the soft margin, ``log(1 + exp(max_p d - min_n d))``;
    ``d`` is the Euclidean distance or its square. An anchor without a positive or without a negative has loss 0
    (`valid_anchors` says which, `check_positives` refuses a batch of only such anchors).

    Args:
        labels: Identities, integers [B].
        features: [B, D], of any float type; computed in float32.
        margin: ``m`` above; ``None`` for the soft margin.
        squared: Whether ``d`` is the squared distance.

    Returns:
        float32 [B].

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import batch_hard_triplet
        >>> features = np.array([[0.0], [1.0], [1.5], [1.5]])
        >>> np.round(np.asarray(batch_hard_triplet(np.array([0, 0, 1, 1]), features)), 2)
        array([0. , 0.8, 0. , 0. ], dtype=float32)

    Reference:
        Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017.
    """
    gaps, valid = distance_gaps(labels, features, squared)
    values = ops.softplus(gaps) if margin is None else ops.relu(gaps + margin)
    return ops.where(valid, values, 0.0)


def active_fraction(labels, features, margin: float = 0.3):
    """Share of the valid anchors whose triplet still violates the margin: 0 means nothing is left to learn.

    Args:
        labels: Identities, integers [B].
        features: [B, D].
        margin: The margin.

    Returns:
        float32 scalar; 0 if no anchor is valid.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import active_fraction
        >>> features = np.array([[0.0], [1.0], [1.5], [1.5]])
        >>> float(active_fraction(np.array([0, 0, 1, 1]), features))
        0.25
    """
    gaps, valid = distance_gaps(labels, features)
    active = ops.logical_and(valid, gaps + margin > 0.0)
    return ops.divide_no_nan(ops.sum(ops.cast(active, "float32")), ops.sum(ops.cast(valid, "float32")))


@keras.saving.register_keras_serializable(package=PACKAGE)
class TripletLoss(ReIDLoss):
    """Batch-hard triplet loss, `batch_hard_triplet` as a Keras loss.

    Args:
        margin: The margin; ``None`` for the soft margin.
        squared: Whether distances are squared, as in `batch_hard_triplet`.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`. The default averages over all anchors of the batch.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import TripletLoss
        >>> features = np.array([[0.0], [1.0], [1.5], [1.5]])
        >>> round(float(TripletLoss()(np.array([0, 0, 1, 1]), features)), 4)
        0.2

    Reference:
        Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017.
    """

    def __init__(
        self,
        margin: float | None = 0.3,
        squared: bool = False,
        name: str | None = "triplet_loss",
        reduction: str | None = "sum_over_batch_size",
    ):
        super().__init__(name=name, reduction=reduction)
        self.margin = margin
        self.squared = squared

    def call(self, y_true, y_pred):
        """One value per anchor."""
        return batch_hard_triplet(y_true, y_pred, self.margin, self.squared)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "margin": self.margin, "squared": self.squared}
