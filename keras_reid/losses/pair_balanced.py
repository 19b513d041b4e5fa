"""Cross-entropy over pairs that counts positive and negative pairs alike, however many there are of each.

There is no loss class here: the mean over each kind belongs to the set of pairs, so a `reduction` would mean nothing.
"""

from keras import ops

__all__ = ["balanced_pair_loss"]


def balanced_pair_loss(positive, logits, counted=None):
    r"""Binary cross-entropy on logits, half from the positive pairs and half from the negative ones.

    ``L = 1/2 mean_positive log(1 + exp(-z)) + 1/2 mean_negative log(1 + exp(z))``. A batch of 16 identities with 4
    images has 96 positive and 1,920 negative pairs; a plain mean would be about the negative ones.

    Args:
        positive: Which pairs show one person, bool [N].
        logits: ``z`` above, [N], of any float type; computed in float32.
        counted: Which pairs count, bool [N]; ``None`` for all.

    Returns:
        float32 scalar; a kind of which no pair counts adds 0.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import balanced_pair_loss
        >>> positive = np.array([True, False, False, False])
        >>> round(float(balanced_pair_loss(positive, np.zeros(4))), 4)
        0.6931

    Reference:
        Our choice of the loss that trains the metric network of Qi, Liu, Shi and Geng, "Generalizable Metric Network
        for Cross-Domain Person Re-Identification", arXiv:2306.11991, of which only the abstract could be read.
    """
    logits = ops.cast(logits, "float32")
    positive = ops.cast(positive, "bool")
    counted = ops.ones_like(positive) if counted is None else ops.cast(counted, "bool")
    values = ops.softplus(ops.where(positive, -logits, logits))
    parts = []
    for kind in (positive, ops.logical_not(positive)):
        weights = ops.cast(ops.logical_and(kind, counted), "float32")
        parts.append(ops.divide_no_nan(ops.sum(weights * values), ops.sum(weights)))
    return 0.5 * (parts[0] + parts[1])
