"""Scoring at scale: blocks of one shape, compiled once by each backend, within a budget of memory."""

from functools import lru_cache

import keras
import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int, unknown_name

__all__ = ["block_logits", "pooled", "shortlist_of", "spread_below"]

_PRECISIONS = ("float32", "bfloat16")
_GALLERY_MAPS = 64  # per compiled call; more of them save nothing


class _WeightedMaxima(keras.Model):
    """Sums of the best similarities of every pair of maps, [P,hw,d], [G,hw,d] -> [P,G]. It has no variables.

    A model only because ``predict_on_batch`` is how Keras compiles on every backend.
    """

    def __init__(self, precision: str, locations: int, channels: int):
        super().__init__(name="weighted_maxima", dtype="float32")
        self.precision, self.locations, self.channels = precision, locations, channels
        if precision == "float32" and keras.backend.backend() != "torch":
            # Also on a CPU, where Keras would not: one pass less over the similarities. In bfloat16 it is slower there.
            self.jit_compile = True
        self.built = True

    def call(self, inputs):
        """One gallery map at a time, so that its similarities are still in the cache when their maxima are taken."""
        probe, gallery, probe_weight, gallery_weight = inputs
        locations = self.locations  # not read off the inputs: TensorFlow forgets shapes once it has seen several
        rows = ops.cast(ops.reshape(probe, (-1, self.channels)), self.precision)  # [P s, d]

        def compare(one):
            columns = ops.reshape(ops.cast(one, self.precision), (locations, self.channels))
            similarities = ops.matmul(rows, ops.transpose(columns))  # [P s, r]
            of_probe = ops.reshape(ops.max(similarities, axis=1), (-1, locations))  # [P, s]
            of_gallery = ops.max(ops.reshape(similarities, (-1, locations, locations)), axis=1)  # [P, r]
            of_probe, of_gallery = ops.cast(of_probe, "float32"), ops.cast(of_gallery, "float32")
            return ops.matmul(of_probe, probe_weight) + ops.matmul(of_gallery, gallery_weight)

        return ops.transpose(ops.map(compare, gallery))


@lru_cache(maxsize=8)
def _weighted_maxima(precision: str, locations: int, channels: int) -> _WeightedMaxima:
    return _WeightedMaxima(precision, locations, channels)


def block_logits(matcher, probe, gallery, *, precision: str = "float32", budget_mb: int = 16) -> np.ndarray:
    """Logits of all pairs by a trained matcher, as `QAConv.logits` describes it.

    With running statistics the matcher is one weight per location, one scale and one offset:
    ``logit = scale * (w . m + v . n) + offset``, m and n being the best similarities of either map's locations.
    """
    if precision not in _PRECISIONS:
        raise unknown_name("precision of the similarities", precision, _PRECISIONS)
    check_positive_int("budget_mb", budget_mb)
    probe, gallery = (_flat(np.asarray(maps, "float32"), matcher.map_size) for maps in (probe, gallery))
    weights = [ops.convert_to_numpy(weight) for weight in matcher.weights_of_both()]
    scale, offset = _affine(matcher, weights)
    rows, columns = block_shape(len(probe), len(gallery), matcher.locations, precision, budget_mb)
    compare = _weighted_maxima(precision, *probe.shape[1:]).predict_on_batch
    sums = np.empty((len(probe), len(gallery)), "float32")
    for left in range(0, len(gallery), columns):
        part = ops.convert_to_tensor(_padded(gallery[left : left + columns], columns))
        for top in range(0, len(probe), rows):
            block = compare([_padded(probe[top : top + rows], rows), part, *weights])
            target = sums[top : top + rows, left : left + columns]
            target[...] = block[: target.shape[0], : target.shape[1]]
    return scale * sums + offset


def block_shape(probes: int, galleries: int, locations: int, precision: str, budget_mb: int) -> tuple[int, int]:
    """Probe and gallery maps per block: powers of two, as many probes as the budget holds against one gallery map."""
    held = max(1, budget_mb * 2**20 // (locations**2 * (2 if precision == "bfloat16" else 4)))
    rows = min(2 ** (held.bit_length() - 1), _power_of_two(probes))
    return rows, min(_GALLERY_MAPS, _power_of_two(galleries))


def _power_of_two(count: int) -> int:
    """The least power of two that is not below ``count``."""
    return 2 ** max(count - 1, 0).bit_length()


def _affine(matcher, weights) -> tuple[np.float32, np.float32]:
    """Scale and offset that both normalisations and the bias amount to."""
    first, second = (
        [float(ops.convert_to_numpy(x)[0]) for x in bn.scale_and_shift(bn.moving_mean, bn.moving_variance)]
        for bn in (matcher.bn, matcher.logit_bn)
    )
    bias = float(ops.convert_to_numpy(matcher.bias)[0]) * (1.0 if matcher.version == "qaconv" else 2.0)
    constant = first[1] * sum(float(weight.sum(dtype="float64")) for weight in weights) + bias
    return np.float32(second[0] * first[0]), np.float32(second[0] * constant + second[1])


def _flat(maps: np.ndarray, map_size: tuple[int, int]) -> np.ndarray:
    if maps.ndim != 4 or maps.shape[1:3] != map_size:
        raise ValueError(
            f"QAConv compares maps [N, {map_size[0]}, {map_size[1]}, d], which `extract` returns. "
            f"Received: {maps.shape}."
        )
    return maps.reshape(len(maps), map_size[0] * map_size[1], maps.shape[3])


def _padded(maps: np.ndarray, count: int) -> np.ndarray:
    """Zeros at the end, so that every block has the compiled shape."""
    if len(maps) == count:
        return maps
    return np.concatenate([maps, np.zeros((count - len(maps), *maps.shape[1:]), maps.dtype)])


def pooled(maps) -> np.ndarray:
    """Means over the locations of maps [N, h, w, d], of unit norm, float32 [N, d]."""
    mean = np.asarray(maps, "float32").mean(axis=(1, 2))
    return mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)


def shortlist_of(query, gallery, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Gallery rows [Q, K] whose pooled maps are most like each query's, in order, and all cosines [Q, G]."""
    cosines = pooled(query) @ pooled(gallery).T
    length = min(length, cosines.shape[1])
    chosen = np.argpartition(-cosines, length - 1, axis=1)[:, :length]
    return np.sort(chosen, axis=1), cosines


def spread_below(found: np.ndarray, chosen: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """Scores [Q, G]: those found for the chosen rows; the others by their cosine, below the least found."""
    least = found.min(axis=1, keepdims=True)
    scores = least * 0.25 * (1.0 + np.clip(cosines, -1.0, 1.0).astype("float64"))  # at most half of the least
    np.put_along_axis(scores, chosen, found, axis=1)
    return scores
