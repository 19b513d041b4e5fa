"""A metric that is learned on pairs: squared differences of two features in, a logit of "same person" out."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int

__all__ = ["MetricNetwork", "squared_differences"]


def squared_differences(features):
    """The pair features of a batch: every pair once, no image with itself.

    ``f_sp(p, q) = (f_p - f_q) * (f_p - f_q)``, elementwise.

    Args:
        features: [B, D] with a known B.

    Returns:
        The pair features [B(B-1)/2, D], and the places p < q of both images as two numpy arrays [B(B-1)/2].

    Raises:
        ValueError: The number of features is not known.

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.layers import squared_differences
        >>> pairs, first, second = squared_differences(np.array([[1.0], [4.0], [6.0]], "float32"))
        >>> keras.ops.convert_to_numpy(pairs).ravel().tolist(), first.tolist(), second.tolist()
        ([9.0, 25.0, 4.0], [0, 0, 1], [1, 2, 2])

    Reference:
        Qi, Liu, Shi and Geng, "Generalizable Metric Network for Cross-Domain Person Re-Identification",
        arXiv:2306.11991. The pair feature is the paper's; that all pairs of a batch are taken is our choice.
    """
    count = features.shape[0]
    if count is None:
        raise ValueError(
            "The pairs of a batch need a batch of known size. keras_reid.pipeline.training makes such batches; of "
            "another dataset drop the incomplete last batch (`drop_remainder=True`)."
        )
    first, second = np.triu_indices(count, k=1)
    return ops.square(ops.take(features, first, axis=0) - ops.take(features, second, axis=0)), first, second


@keras.saving.register_keras_serializable(package="keras_reid")
class MetricNetwork(keras.layers.Layer):
    r"""M-Net: pair features [N, D] -> logits [N], the log-odds that a pair shows one person.

    ``x -> BN -> dropout -> (dense without bias -> BN -> ReLU) per hidden layer -> dense -> z``. It sees nothing but
    squared differences, so it is symmetric in both images, and ``z(p, p)`` is one constant. The input is normalised,
    for squared differences are small, never negative, and very unequal in size.

    The dropout is the perturbation of pairs: it acts on the pair feature, each number of each pair by itself, in
    training only. On both features by themselves, independent masks would turn a missing number into a large
    difference. ``perturb`` switches it on inside a compiled step.

    The initial weights are random in size and fixed in sign, so that training begins with a metric, ``z`` falling with
    every difference: hidden units of even number grow with all differences and lower ``z``, the others do the reverse.
    With one kind alone, all pairs below a ReLU's threshold would be ties.

    Args:
        hidden: Widths of the hidden layers, one at least.
        perturbation: Rate of the dropout; 0 for none.
        input_norm: Whether the input is normalised.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``).

    Raises:
        ValueError: A width is not a positive integer, there is none, or the rate is not in [0, 1).

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.layers import MetricNetwork
        >>> network = MetricNetwork(hidden=(8,))
        >>> logits = keras.ops.convert_to_numpy(network(np.array([[0.0] * 4, [1.0] * 4], "float32")))
        >>> logits.shape, bool(logits[0] > logits[1])
        ((2,), True)

    Reference:
        Qi, Liu, Shi and Geng, "Generalizable Metric Network for Cross-Domain Person Re-Identification",
        arXiv:2306.11991. The paper's (abstract): a light network after the main one, fed with pair features, with a
        dropout-based perturbation. Our choice, for the paper's text could not be read: the layers and their widths, the
        rate, where the dropout acts, the initial weights.
    """

    def __init__(self, hidden: Sequence[int] = (512,), perturbation: float = 0.5, input_norm: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.hidden = tuple(check_positive_int("hidden", width) for width in hidden)
        if not self.hidden:
            raise ValueError("`hidden` must name the width of one layer at least. Received: ().")
        if not 0.0 <= perturbation < 1.0:
            raise ValueError(f"`perturbation` must be in [0, 1). Received: {perturbation!r}.")
        self.perturbation = perturbation
        self.seed_generator = keras.random.SeedGenerator(name="seed_generator")
        self.input_norm = self._normalization("input_norm") if input_norm else None
        self.denses = [
            keras.layers.Dense(width, use_bias=False, name=f"dense{number}", dtype=self.dtype_policy)
            for number, width in enumerate(self.hidden)
        ]
        self.norms = [self._normalization(f"norm{number}") for number in range(len(self.hidden))]
        self.logit = keras.layers.Dense(1, name="logit", dtype=self.dtype_policy)

    def _normalization(self, name: str):
        return keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=name, dtype=self.dtype_policy)

    def build(self, input_shape):
        """Creates the variables for pair features [N, D]."""
        if self.input_norm is not None:
            self.input_norm.build(input_shape)
        shape = tuple(input_shape)
        inputs = np.ones((shape[-1], 1), "float32")  # 1 for what grows with the differences, -1 for what falls
        for dense, norm in zip(self.denses, self.norms, strict=True):
            dense.build(shape)
            outputs = np.where(np.arange(dense.units) % 2, -1.0, 1.0).astype("float32")
            dense.kernel.assign(np.abs(dense.kernel.numpy()) * inputs * outputs)
            inputs, shape = outputs[:, None], (None, dense.units)
            norm.build(shape)
        self.logit.build(shape)
        self.logit.kernel.assign(-np.abs(self.logit.kernel.numpy()) * inputs)

    def call(self, pairs, training=False, perturb=1.0):
        """Logits [N], float32; while training, numbers are dropped where ``perturb`` (a scalar, 0 or 1) is 1."""
        x = ops.cast(pairs, self.compute_dtype)
        if self.input_norm is not None:
            x = self.input_norm(x, training=training)
        if training and self.perturbation:
            rate = self.perturbation * ops.cast(perturb, "float32")
            kept = keras.random.uniform(ops.shape(x), seed=self.seed_generator) >= rate
            x = x * ops.cast(ops.cast(kept, "float32") / (1.0 - rate), x.dtype)
        for dense, norm in zip(self.denses, self.norms, strict=True):
            x = ops.relu(norm(dense(x), training=training))
        return ops.cast(self.logit(x)[:, 0], "float32")

    def folded(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The network of inference as plain layers: every normalisation is folded into the weights beside it.

        Returns:
            Kernel [in, out] and bias [out] of each layer, float32; a ReLU stands between any two.
        """
        layers = []
        scale, shift = (1.0, 0.0) if self.input_norm is None else _scale_and_shift(self.input_norm)
        for dense, norm in zip(self.denses, self.norms, strict=True):
            kernel = _numpy(dense.kernel)
            after, offset = _scale_and_shift(norm)
            bias = np.broadcast_to(shift, len(kernel)) @ kernel * after + offset
            layers.append((np.broadcast_to(scale, len(kernel))[:, None] * kernel * after, bias))
            scale, shift = 1.0, 0.0
        layers.append((_numpy(self.logit.kernel), _numpy(self.logit.bias)))
        return [(kernel.astype("float32"), bias.astype("float32")) for kernel, bias in layers]

    def compute_output_shape(self, input_shape):
        """One logit per pair."""
        return tuple(input_shape[:1])

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "perturbation": self.perturbation,
            "input_norm": self.input_norm is not None,
        }


def _numpy(variable) -> np.ndarray:
    return np.asarray(variable.numpy(), dtype="float64")


def _scale_and_shift(norm) -> tuple[np.ndarray, np.ndarray]:
    """The affine map that a batch normalisation is in inference, float64."""
    gamma, beta, mean, variance = (
        _numpy(variable) for variable in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale, beta - mean * scale
