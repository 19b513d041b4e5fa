"""Contrastive loss: what belongs together is drawn together, the rest is pushed a margin apart."""

from keras import ops

__all__ = ["contrastive_loss"]


def contrastive_loss(first, second, same: bool, margin: float = 2.0):
    """Contrastive loss of pairs of which all belong together, or none does.

    ``l = d^2`` for pairs that belong together, ``l = max(0, m - d)^2`` for the others, ``d`` the Euclidean distance.

    Args:
        first: Embeddings [B, D], of any float type; computed in float32.
        second: Their partners [B, D].
        same: Whether the pairs belong together.
        margin: ``m`` above. Unit vectors are never farther apart than 2.

    Returns:
        float32 [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import contrastive_loss
        >>> float(contrastive_loss(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]), same=False)[0])
        1.0

    Reference:
        Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006, without its
        factor 1/2, as in Deng et al., "Image-Image Domain Adaptation with Preserved Self-Similarity and
        Domain-Dissimilarity for Person Re-identification", CVPR 2018, equation 3.
    """
    squares = ops.sum(ops.square(ops.cast(first, "float32") - ops.cast(second, "float32")), axis=-1)
    if same:
        return squares
    # The root has no gradient at 0.
    return ops.square(ops.relu(margin - ops.sqrt(ops.maximum(squares, 1e-12))))
