"""Instance margin spreading: every image keeps away from every other one, whoever it shows.

There is no loss class here: the features of the other images are state, and state inside a `keras.losses.Loss` is
neither saved nor, on JAX, updated. They are a `keras_reid.layers.FeatureBank` of the model.
"""

from keras import ops

from keras_reid.losses.base import integer_labels

__all__ = ["instance_spreading"]


def instance_spreading(places, features, bank, valid=None, margin: float = 0.1):
    """Instance margin spreading loss of each anchor against all other images of a site.

    ``l_a = log(1 + sum_{i != a} exp(m - d(a, i)))``, ``d`` the Euclidean distance of unit vectors. No label is looked
    at, so images of the same person are pushed apart too; the triplet loss beside it holds them together. Computed as
    ``softplus(logsumexp(m - d))``, which cannot overflow.

    Args:
        places: Rows of the bank that hold the anchors themselves, integers [B].
        features: Unit-norm embeddings of the anchors [B, D]; the gradient flows through these alone.
        bank: Unit-norm embeddings of all images [N, D].
        valid: Which rows of the bank hold an image, [N]; all by default.
        margin: ``m`` above.

    Returns:
        float32 [B].

    Raises:
        ValueError: The places are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import instance_spreading
        >>> bank = np.eye(3)
        >>> loss = float(instance_spreading(np.array([0]), bank[:1], bank)[0])
        >>> round(loss - float(np.log(1 + 2 * np.exp(0.1 - np.sqrt(2)))), 4)
        0.0

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, equation 8. Unit vectors are our reading: with the margins of the paper, the loss of vectors of larger
        norm is next to nothing.
    """
    features = ops.cast(features, "float32")
    bank = ops.stop_gradient(ops.cast(bank, "float32"))
    cosines = ops.matmul(features, ops.transpose(bank))  # [B, N]
    distances = ops.sqrt(ops.maximum(2.0 - 2.0 * cosines, 1e-12))
    others = ops.not_equal(integer_labels(places)[:, None], ops.arange(ops.shape(bank)[0])[None, :])
    if valid is not None:
        others = ops.logical_and(others, ops.cast(valid, "bool")[None, :])
    # A finite stand-in: infinity would make the gradient NaN where there is no other image.
    return ops.softplus(ops.logsumexp(ops.where(others, margin - distances, -1e9), axis=1))
