"""Distances, safe to differentiate."""

from keras import ops

__all__ = ["euclidean_distances", "squared_distances"]


def squared_distances(first, second):
    """Squared Euclidean distances ``|x|^2 + |y|^2 - 2 x.y``, never below 0.

    Args:
        first: Features [N, D].
        second: Features [M, D].

    Returns:
        float32 [N, M].

    Example:
        >>> from keras_reid.losses.distances import squared_distances
        >>> float(squared_distances([[0.0, 0.0]], [[3.0, 4.0]])[0, 0])
        25.0
    """
    first, second = ops.cast(first, "float32"), ops.cast(second, "float32")
    norms = ops.sum(ops.square(first), axis=1)[:, None] + ops.sum(ops.square(second), axis=1)[None, :]
    return ops.maximum(norms - 2.0 * ops.matmul(first, ops.transpose(second)), 0.0)


def euclidean_distances(first, second):
    """Euclidean distances ``sqrt(max(d^2, 1e-12))``, whose gradient at distance 0 is 0 and not NaN.

    Args:
        first: Features [N, D].
        second: Features [M, D].

    Returns:
        float32 [N, M]; equal rows are 1e-6 apart.

    Example:
        >>> from keras_reid.losses.distances import euclidean_distances
        >>> float(euclidean_distances([[0.0, 0.0]], [[3.0, 4.0]])[0, 0])
        5.0
    """
    return ops.sqrt(ops.maximum(squared_distances(first, second), 1e-12))
