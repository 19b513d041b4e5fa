"""Scoring at scale: blocks of one shape, compiled once by each backend, within a budget of memory."""

from functools import lru_cache

import keras
import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int, unknown_name

__all__ = ["block_logits", "shortlist_of", "spread_below"]

_PRECISIONS = ("float32", "bfloat16")


class _WeightedMaxima(keras.Model):
    """Sums of the best similarities of every pair of maps, [P,hw,d], [G,hw,d] -> [P,G]. It has no variables.

    A model only because ``predict_on_batch`` is how Keras compiles on every backend.
    """

    def __init__(self, precision: str):
        super().__init__(name="weighted_maxima", dtype="float32")
        self.precision = precision
        self.built = True

    def call(self, inputs):
        """One matrix product, its maxima along either side, and their weighted sums."""
        probe, gallery, probe_weight, gallery_weight = inputs
        locations, channels = probe.shape[1:]
        left, right = (ops.cast(ops.reshape(maps, (-1, channels)), self.precision) for maps in (probe, gallery))
        # Neither copied nor transposed: rows are probe maps' locations, columns gallery maps'.
        shape = (ops.shape(probe)[0], locations, ops.shape(gallery)[0], locations)
        similarities = ops.reshape(ops.matmul(left, ops.transpose(right)), shape)
        of_probe = ops.cast(ops.max(similarities, axis=3), "float32")  # [P, s, G]
        of_gallery = ops.cast(ops.max(similarities, axis=1), "float32")  # [P, G, r]
        return ops.einsum("psg,s->pg", of_probe, probe_weight) + ops.einsum("pgr,r->pg", of_gallery, gallery_weight)


@lru_cache(maxsize=len(_PRECISIONS))
def _weighted_maxima(precision: str) -> _WeightedMaxima:
    return _WeightedMaxima(precision)


def block_logits(matcher, probe, gallery, *, precision: str = "float32", budget_mb: int = 128) -> np.ndarray:
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
    compare = _weighted_maxima(precision).predict_on_batch
    sums = np.empty((len(probe), len(gallery)), "float32")
    for left in range(0, len(gallery), columns):
        part = _padded(gallery[left : left + columns], columns)
        for top in range(0, len(probe), rows):
            block = compare([_padded(probe[top : top + rows], rows), part, *weights])
            target = sums[top : top + rows, left : left + columns]
            target[...] = block[: target.shape[0], : target.shape[1]]
    return scale * sums + offset


def block_shape(probes: int, galleries: int, locations: int, precision: str, budget_mb: int) -> tuple[int, int]:
    """Probe and gallery maps per block: powers of two, at most what there is and what the budget holds."""
    pairs = budget_mb * 2**20 // (locations**2 * (2 if precision == "bfloat16" else 4))
    rows = min(16, _power_of_two(probes), max(1, pairs))
    columns = min(_power_of_two(galleries), max(1, pairs // rows))
    return rows, 2 ** (columns.bit_length() - 1)


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
            f"QAConv compares maps [N, {map_size[0]}, {map_size[1]}, d], which `extract` returns. Received: {maps.shape}."
        )
    return maps.reshape(len(maps), map_size[0] * map_size[1], maps.shape[3])


def _padded(maps: np.ndarray, count: int) -> np.ndarray:
    """Zeros at the end, so that every block has the compiled shape."""
    if len(maps) == count:
        return maps
    return np.concatenate([maps, np.zeros((count - len(maps), *maps.shape[1:]), maps.dtype)])


def shortlist_of(query, gallery, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Gallery rows [Q, K] whose pooled maps are most like each query's, in order, and all cosines [Q, G]."""
    pooled = []
    for maps in (query, gallery):
        mean = np.asarray(maps, "float32").mean(axis=(1, 2))
        pooled.append(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12))
    cosines = pooled[0] @ pooled[1].T
    length = min(length, cosines.shape[1])
    chosen = np.argpartition(-cosines, length - 1, axis=1)[:, :length]
    return np.sort(chosen, axis=1), cosines


def spread_below(found: np.ndarray, chosen: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """Scores [Q, G]: those found for the chosen rows; the others by their cosine, below the least found."""
    least = found.min(axis=1, keepdims=True)
    scores = least * 0.25 * (1.0 + np.clip(cosines, -1.0, 1.0).astype("float64"))  # at most half of the least
    np.put_along_axis(scores, chosen, found, axis=1)
    return scores
