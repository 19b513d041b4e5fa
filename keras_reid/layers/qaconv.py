"""Query-adaptive convolution: two feature maps in, one matching logit out."""

from typing import NamedTuple

import keras
from keras import ops

from keras_reid.backbones.weights import torchvision_variables
from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.layers.scalar_normalization import ScalarBatchNormalization

__all__ = ["Correspondences", "QAConvMatcher"]

VERSIONS = ("qaconv", "qaconv_gs")


class Correspondences(NamedTuple):
    """Where each location of one map found its best match in the other; all [P, G, h, w].

    Indices are row-major locations ``y * w + x`` of the other map; scores are the location's part of the logit
    before its last normalisation.
    """

    probe_score: object
    index_in_gallery: object
    gallery_score: object
    index_in_probe: object


def _locations(maps):
    """[N, h, w, d] -> [N, hw, d], row-major."""
    _, height, width, channels = maps.shape
    return ops.reshape(maps, (-1, height * width, channels))


def _similarities(probe, gallery):
    """[P, hw, d], [G, hw, d] -> [P, G, s, r]: similarity of probe location s with gallery location r."""
    return ops.einsum("psd,grd->pgsr", probe, gallery)


def _compare(probe, gallery, probe_weight, gallery_weight):
    """Weighted sums [P, G] of the best similarities, and the mean and variance of all of them."""
    similarities = _similarities(probe, gallery)
    of_probe = ops.cast(ops.max(similarities, axis=3), "float32")  # [P, G, hw]
    of_gallery = ops.cast(ops.max(similarities, axis=2), "float32")  # [P, G, hw]
    sums = ops.matmul(of_probe, probe_weight) + ops.matmul(of_gallery, gallery_weight)
    mean = 0.5 * (ops.mean(of_probe) + ops.mean(of_gallery))
    variance = 0.5 * (ops.mean(ops.square(of_probe - mean)) + ops.mean(ops.square(of_gallery - mean)))
    return sums, mean, variance


@keras.saving.register_keras_serializable(package="keras_reid")
class QAConvMatcher(keras.layers.Layer):
    r"""Matches every probe map with every gallery map, ``[P, h, w, d], [G, h, w, d] -> [P, G]`` logits.

    With unit-norm features ``f`` and ``g`` at the locations of both maps, ``m_s = max_r f_s . g_r`` is each probe
    location's best match and ``n_r = max_s f_s . g_r`` each gallery location's. Then, ``BN`` having a single channel,

        ``qaconv``:    ``logit = BN2(v . BN1(n) + w . BN1(m) + c)``, the weights [2hw] differing for both sides;
        ``qaconv_gs``: ``logit = BN2((w . BN1(m) + c) + (w . BN1(n) + c))``, one shared weight [hw], symmetric.

    In training both normalisations use the exact statistics of all pairs of the call. Similarities are computed in the
    layer's compute dtype, all else in float32. Never more than ``P * block_size * (hw)^2`` similarities exist at once,
    in training too, where further blocks are computed again for the gradient.

    Args:
        version: ``"qaconv"`` or ``"qaconv_gs"``.
        block_size: Gallery maps compared at once.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``, ``trainable``).

    Raises:
        ValueError: An argument is none of those listed, or maps of another size than at first.

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.layers import QAConvMatcher
        >>> maps = np.random.default_rng(0).normal(size=(3, 6, 4, 8)).astype("float32")
        >>> maps /= np.linalg.norm(maps, axis=-1, keepdims=True)
        >>> logits = keras.ops.convert_to_numpy(QAConvMatcher("qaconv_gs")(maps, maps))
        >>> logits.shape, logits.argmax(axis=1)
        ((3, 3), array([0, 1, 2]))

    Reference:
        Liao and Shao, "Interpretable and Generalizable Person Re-Identification with Query-Adaptive Convolution and
        Temporal Lifting", ECCV 2020 (``qaconv``); "Graph Sampling Based Deep Metric Learning for Generalizable Person
        Re-Identification", CVPR 2022 (``qaconv_gs``). Initial weights are those of the authors' code. Blocks and
        recomputation are ours and change no number.
    """

    def __init__(self, version: str = "qaconv", block_size: int = 64, **kwargs):
        super().__init__(**kwargs)
        if version not in VERSIONS:
            raise unknown_name("QAConv version", version, VERSIONS)
        self.version = version
        self.block_size = check_positive_int("block_size", block_size)
        self.bn = ScalarBatchNormalization(name="bn")
        self.logit_bn = ScalarBatchNormalization(name="logit_bn")

    def build(self, probe_shape, gallery_shape=None):
        """Creates the weights for maps [*, h, w, d]."""
        if len(probe_shape) != 4 or None in probe_shape[1:3]:
            raise ValueError(
                "QAConvMatcher needs feature maps [N, h, w, d] of known height and width, for it has a weight per "
                f"location. Received: shape {tuple(probe_shape)}."
            )
        self.map_size = tuple(probe_shape[1:3])
        inputs = self.locations * (2 if self.version == "qaconv" else 1)
        bound = inputs**-0.5
        uniform = keras.initializers.RandomUniform(-bound, bound)
        constant = keras.initializers.Constant(1.0 / inputs)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(inputs, 1),
            initializer=uniform if self.version == "qaconv" else constant,
            autocast=False,
        )
        self.bias = self.add_weight(
            name="bias", shape=(1,), initializer=keras.initializers.RandomUniform(-bound, bound), autocast=False
        )
        self.bn.build()
        self.logit_bn.build()

    @property
    def locations(self) -> int:
        """``hw``, the number of locations of a map."""
        return self.map_size[0] * self.map_size[1]

    def weights_of_both(self):
        """The weights [hw] of the probe's and of the gallery's locations."""
        kernel = ops.cast(self.kernel, "float32")[:, 0]
        if self.version == "qaconv_gs":
            return kernel, kernel
        return kernel[self.locations :], kernel[: self.locations]

    def call(self, probe, gallery, training=None):
        """Logits [P, G], float32."""
        self._check_size(probe)
        self._check_size(gallery)
        probe, gallery = _locations(probe), _locations(gallery)
        weights = self.weights_of_both()
        parts = self._compare_in_blocks(probe, gallery, weights, training)
        sums = ops.concatenate([part[0] for part in parts], axis=1)  # [P, G]
        mean, variance = self.bn.moving_mean, self.bn.moving_variance
        if training:
            mean, variance = self._pooled_statistics(parts)
            pairs = ops.cast(ops.prod(ops.convert_to_tensor(ops.shape(sums), "int32")), "float32")
            mean, variance, count = self.bn.pooled(mean, variance, pairs * 2.0 * self.locations)
            self.bn.track(mean, variance, count)
        scale, shift = self.bn.scale_and_shift(mean, variance)
        biases = 1.0 if self.version == "qaconv" else 2.0
        constant = shift * (ops.sum(weights[0]) + ops.sum(weights[1])) + biases * ops.cast(self.bias, "float32")
        return self.logit_bn(scale * sums + constant, training=training)

    def _compare_in_blocks(self, probe, gallery, weights, training) -> list[tuple]:
        """What `_compare` says of each block of the gallery."""
        count, size = gallery.shape[0], self.block_size
        if count is None or count <= size:
            return [_compare(probe, gallery, *weights)]
        # Recomputed for the gradient, and in a loop that the compilers keep: one block exists at a time.
        compare = keras.remat(_compare) if training else _compare
        whole = count // size
        blocks = ops.reshape(gallery[: whole * size], (whole, size, *gallery.shape[1:]))
        sums, means, variances = ops.map(lambda block: compare(probe, block, *weights), blocks)
        parts = [(sums[number], means[number], variances[number]) for number in range(whole)]
        if count % size:
            parts.append(compare(probe, gallery[whole * size :], *weights))
        return parts

    @staticmethod
    def _pooled_statistics(parts):
        """Mean and biased variance of all blocks together, without a second pass over the similarities."""
        if len(parts) == 1:
            return parts[0][1:]
        total = sum(part[0].shape[1] for part in parts)
        shares = [part[0].shape[1] / total for part in parts]
        mean = sum(share * part[1] for share, part in zip(shares, parts, strict=True))
        variance = sum(
            share * (part[2] + ops.square(part[1] - mean)) for share, part in zip(shares, parts, strict=True)
        )
        return mean, variance

    def correspondences(self, probe, gallery) -> Correspondences:
        """Says which location matched which and what each match is worth; for a few pairs at a time.

        ``logit = BN2(sum of both scores + c)`` (``qaconv``; ``2c`` for ``qaconv_gs``).

        Args:
            probe: Maps [P, h, w, d].
            gallery: Maps [G, h, w, d].

        Returns:
            `Correspondences`, each [P, G, h, w].
        """
        similarities = ops.cast(_similarities(_locations(probe), _locations(gallery)), "float32")
        scale, shift = self.bn.scale_and_shift(self.bn.moving_mean, self.bn.moving_variance)
        probe_weight, gallery_weight = self.weights_of_both()
        shape = (len(probe), len(gallery), *self.map_size)

        def side(axis, weight):
            score = weight * (scale * ops.max(similarities, axis=axis) + shift)
            return ops.reshape(score, shape), ops.reshape(ops.argmax(similarities, axis=axis), shape)

        return Correspondences(*side(3, probe_weight), *side(2, gallery_weight))

    def torch_variables(self, prefix: str = "matcher.") -> dict[str, list]:
        """Every variable by its name in the authors' checkpoints, for `keras_reid.backbones.assign_tensors`.

        Their kernel [1, 2hw] of ``qaconv`` holds the gallery's half first, as ours does.
        """
        return {
            **torchvision_variables(self.bn, f"{prefix}bn."),
            **torchvision_variables(self.logit_bn, f"{prefix}logit_bn."),
            f"{prefix}fc.weight": [self.kernel],
            f"{prefix}fc.bias": [self.bias],
        }

    def _check_size(self, maps) -> None:
        if tuple(maps.shape[1:3]) != self.map_size:
            raise ValueError(
                f"The matcher has a weight for each location of maps of {self.map_size[0]} x {self.map_size[1]}. "
                f"Received: maps of shape {tuple(maps.shape)}. Resize the images to the size the model was made for."
            )

    def compute_output_shape(self, probe_shape, gallery_shape):
        """One logit per pair."""
        return (probe_shape[0], gallery_shape[0])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "version": self.version, "block_size": self.block_size}
