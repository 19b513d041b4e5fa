"""Centre loss: every feature is drawn towards the centre of its identity.

There is no loss class here: the centres are state, and state inside a `keras.losses.Loss` is neither saved nor, on JAX,
updated. They are a variable of the model, which hands them to these functions.
"""

from keras import ops

from keras_reid.losses.base import integer_labels

__all__ = ["centre_loss", "updated_centres"]


def centre_loss(labels, features, centres):
    """Half the squared distance of each anchor to the centre of its identity, ``l_i = 1/2 |f_i - c[y_i]|^2``.

    Args:
        labels: Identities, integers [B] in [0, K).
        features: [B, D], of any float type; computed in float32.
        centres: [K, D].

    Returns:
        float32 [B].

    Raises:
        ValueError: The labels are not integers of shape [B].

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import centre_loss
        >>> float(centre_loss(np.array([1]), np.array([[3.0, 4.0]]), np.zeros((2, 2)))[0])
        12.5

    Reference:
        Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016.
    """
    centres = ops.take(ops.cast(centres, "float32"), integer_labels(labels), axis=0)
    return 0.5 * ops.sum(ops.square(ops.cast(features, "float32") - centres), axis=-1)


def updated_centres(labels, features, centres, rate: float = 0.5):
    """The centres after one step of the paper's own rule, which uses no gradient.

    ``c_k <- c_k - rate * sum_i [y_i = k] (c_k - f_i) / (1 + n_k)``, ``n_k`` the images of identity ``k`` in the batch.

    Args:
        labels: Identities, integers [B] in [0, K).
        features: [B, D]; no gradient flows through them.
        centres: [K, D].
        rate: Learning rate of the centres.

    Returns:
        float32 [K, D]; identities that are not in the batch keep their centres.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import updated_centres
        >>> np.asarray(updated_centres(np.array([1]), np.array([[4.0]]), np.zeros((2, 1))))
        array([[0.],
               [1.]], dtype=float32)

    Reference:
        Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016, algorithm 1.
    """
    centres = ops.cast(centres, "float32")
    members = ops.one_hot(integer_labels(labels), centres.shape[0], dtype="float32")
    counts = ops.sum(members, axis=0)[:, None]
    sums = ops.matmul(ops.transpose(members), ops.stop_gradient(ops.cast(features, "float32")))
    return centres - rate * (counts * centres - sums) / (1.0 + counts)
