"""Unit vectors, safe to differentiate."""

from keras import ops

__all__ = ["unit_vectors"]


def unit_vectors(features, axis: int = -1):
    """Scales the vectors along an axis to unit norm, ``x / |x|``.

    ``keras.ops.normalize`` has a gradient of NaN (JAX, torch) or 3e7 (TensorFlow) at zero, which a rectified feature
    can be. Here a vector below 1e-6 stays as it is.

    Args:
        features: Vectors [..., D].
        axis: Along which they lie.

    Returns:
        float32, shaped like ``features``.

    Example:
        >>> from keras_reid.layers.unit_vectors import unit_vectors
        >>> [float(value) for value in unit_vectors([[0.0, 4.0]])[0]]
        [0.0, 1.0]
    """
    features = ops.cast(features, "float32")
    squares = ops.sum(ops.square(features), axis=axis, keepdims=True)
    return features * ops.rsqrt(ops.where(squares > 1e-12, squares, 1.0))
