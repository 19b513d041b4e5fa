"""Pair features of the same two persons should be alike: their spread around their mean.

There is no loss class here: the loss belongs to a set of images, so `reduction` and `sample_weight` would mean nothing.
"""

from keras import ops

from keras_reid.losses.base import integer_labels

__all__ = ["pair_identity_centre_loss"]


def pair_identity_centre_loss(labels, features):
    r"""Mean squared distance of pair features to the centre of their pair-identity, over all pairs of a batch.

    The pair feature of two images is ``f_sp = (f_p - f_q)^2``, elementwise, and its pair-identity the two identities
    ``{y_p, y_q}``; a positive pair's is ``{y, y}``, an image is not paired with itself. With ``c`` the mean pair
    feature of a pair-identity in the batch,

        ``L = mean_{pair-identities} mean_{its pairs} |f_sp - c|^2 / D``.

    Every pair-identity counts once, so that the positive ones are not lost among the others. The gradient through an
    in-batch mean cancels, so the centres may be held fixed or not.

    No pair feature is made. For two identities the pairs are all combinations of their images, so that the spread
    follows from the means ``m`` and the central moments ``v, s, k`` (second to fourth) of both:

        ``4 (m_a - m_b)^2 (v_a + v_b) + 4 (m_a - m_b)(s_a - s_b) + (k_a - v_a^2) + (k_b - v_b^2) + 4 v_a v_b``

    summed over D; within an identity of n images it is ``(2 k + 6 v^2) n / (n - 1) - (2 v n / (n - 1))^2``. That is
    B^2 D operations as matrix products in place of B^2 D numbers in memory, and nothing large cancels.

    Args:
        labels: Identities, integers [B].
        features: [B, D], of any float type; computed in float32.

    Returns:
        float32 scalar; 0 where each identity's images are equal.

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import pair_identity_centre_loss
        >>> float(pair_identity_centre_loss(np.array([0, 0, 1]), np.array([[0.0], [2.0], [0.0]])))
        2.0

    Reference:
        Qi, Liu, Shi and Geng, "Generalizable Metric Network for Cross-Domain Person Re-Identification",
        arXiv:2306.11991. That pair features of one pair-identity are made consistent is the paper's (abstract); the
        formula, the in-batch centres and the average are our choice, for the paper's text could not be read.
    """
    labels = integer_labels(labels)
    features = ops.cast(features, "float32")
    same = ops.cast(ops.equal(labels[:, None], labels[None, :]), "float32")  # [B, B]
    count = ops.sum(same, axis=1)  # [B], of the images of each one's identity
    share = 1.0 / count

    def average(values):  # over each image's identity, [B, D]
        return ops.matmul(same, values) * share[:, None]

    features = features - ops.mean(features, axis=0)  # differences stay, and numbers get small
    m = average(features)
    centred = features - m
    v, s, k = (average(centred**power) for power in (2, 3, 4))

    def both(first, second):  # sum_d first_a second_b, for all pairs of identities, [B, B]
        return ops.matmul(first, ops.transpose(second))

    # Products of what depends on a and on b; `crossed + its transpose` is the sum over both orders.
    of_one = ops.sum(4.0 * m * m * v + 4.0 * m * s + k - v * v, axis=1)
    crossed = 4.0 * both(m * m, v) - 8.0 * both(m * v, m) - 4.0 * both(m, s) + 2.0 * both(v, v)
    between = of_one[:, None] + of_one[None, :] + crossed + ops.transpose(crossed)
    pairs = ops.divide_no_nan(count, count - 1.0)[:, None]
    within = ops.sum(pairs * (2.0 * k + 6.0 * v * v) - (2.0 * pairs * v) ** 2, axis=1)

    # Each identity is there once per image: `share` makes it one.
    different = 0.5 * (1.0 - same) * share[:, None] * share[None, :]
    paired = ops.where(count > 1.0, share, 0.0)
    total = ops.sum(different * between) + ops.sum(paired * within)
    number = ops.sum(different) + ops.sum(paired)
    return ops.divide_no_nan(total, number) / features.shape[1]
