"""Cross-modality discrimination learning: close to one's own centre, far from the others'."""

from keras import ops

from keras_reid.layers.unit_vectors import unit_vectors
from keras_reid.losses.base import integer_labels

__all__ = ["variance_ratio"]


def variance_ratio(labels, features):
    r"""Variance within identities over variance between them, of unit-norm features.

    ``L = mean_i |h_i - c[y_i]|^2 / (mean_y |c[y] - c|^2 + 1e-6)``, with ``h_i`` the features brought to unit norm,
    ``c[y]`` the mean of identity ``y`` over both modalities and ``c`` the mean of the ``c[y]``. Because a centre mixes
    the modalities, the gap between them counts as variance within.

    Args:
        labels: Identities, integers [B].
        features: [B, D], of any float type; computed in float32.

    Returns:
        float32 scalar; 0 where every identity is one point.

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import variance_ratio
        >>> square = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
        >>> round(float(variance_ratio(np.array([0, 0, 1, 1]), square)), 4)
        1.0

    Reference:
        Ling et al., "Cross-Modality Earth Mover's Distance for Visible Thermal Person Re-Identification", AAAI 2023.
        That the ratio of intra-identity to inter-identity variance is lowered is the paper's (abstract); the formula is
        our choice, Fisher's ratio of traces.
    """
    labels = integer_labels(labels)
    features = unit_vectors(features)
    same = ops.cast(ops.equal(labels[:, None], labels[None, :]), "float32")  # [B, B]
    share = 1.0 / ops.sum(same, axis=1)  # [B], of each image in its identity: they sum to the number of identities
    centres = ops.matmul(same, features) * share[:, None]  # [B, D], each image's own
    middle = ops.sum(centres * share[:, None], axis=0) / ops.sum(share)
    within = ops.mean(ops.sum(ops.square(features - centres), axis=1))
    between = ops.sum(ops.sum(ops.square(centres - middle), axis=1) * share) / ops.sum(share)
    return within / (between + 1e-6)
