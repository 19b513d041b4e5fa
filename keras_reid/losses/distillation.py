"""Learning from another network's opinion."""

from keras import ops

__all__ = ["distillation_loss"]


def distillation_loss(probabilities, logits):
    r"""Divergence of a student's softmax from a teacher's probabilities, one value per image.

    ``l_i = sum_k q_ik (log q_ik - log p_ik)``, ``p`` the softmax of the logits; ``0 log 0 = 0``.

    Args:
        probabilities: q [B, K], rows that sum to 1. No gradient passes.
        logits: [B, K], of any float type; computed in float32.

    Returns:
        float32 [B].

    Example:
        >>> from keras_reid.losses import distillation_loss
        >>> round(float(distillation_loss([[1.0, 0.0]], [[0.0, 0.0]])[0]), 4)
        0.6931

    Reference:
        Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015 (temperature 1).
    """
    target = ops.stop_gradient(ops.cast(probabilities, "float32"))
    own = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    entropy = ops.where(target > 0.0, target * ops.log(ops.maximum(target, 1e-30)), 0.0)
    return ops.sum(entropy - target * own, axis=-1)
