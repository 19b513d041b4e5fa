"""Logits of all pairs by a metric network, as matrix products: no array of Q x G x D."""

from functools import lru_cache

import keras
import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int

__all__ = ["pair_logits"]

_GALLERY_ROWS = 1024  # per compiled call; more of them save nothing
_QUERY_ROWS = 32


class _PairLogits(keras.Model):
    """Logits [P, G] of query features [P, D] with gallery features [G, D]. It has no variables.

    A model only because ``predict_on_batch`` is how Keras compiles on every backend.
    """

    def __init__(self, width: int, depth: int):
        super().__init__(name="pair_logits", dtype="float32")
        self.width, self.depth = width, depth
        self.built = True

    def call(self, inputs):
        """The first layer is linear in ``(q - g)^2 = q^2 + g^2 - 2 q g``; only the last term needs both."""
        query, gallery, of_query, of_gallery, first, *rest = inputs
        size, width = first.shape
        weighted = ops.reshape(query[:, None, :] * ops.transpose(first)[None], (-1, size))  # [P H, D]
        crossed = ops.matmul(weighted, ops.transpose(gallery))  # [P H, G]
        crossed = ops.reshape(crossed, (-1, width, ops.shape(gallery)[0]))
        x = of_query[:, :, None] + ops.transpose(of_gallery)[None] - 2.0 * crossed  # [P, H, G]
        for kernel, bias in zip(rest[::2], rest[1::2], strict=True):
            x = ops.matmul(ops.transpose(kernel)[None], ops.relu(x)) + bias[:, None]
        return x[:, 0]


@lru_cache(maxsize=8)
def _compiled(width: int, depth: int) -> _PairLogits:
    return _PairLogits(width, depth)


def pair_logits(layers, query, gallery, *, budget_mb: int = 64) -> np.ndarray:
    """Logits of every query with every gallery feature.

    Args:
        layers: Kernels and biases, as `keras_reid.layers.MetricNetwork.folded` returns them.
        query: Array [Q, D].
        gallery: Array [G, D].
        budget_mb: Megabytes of a block's arrays; it changes time and memory, not the result.

    Returns:
        float32 [Q, G].
    """
    check_positive_int("budget_mb", budget_mb)
    (first, bias), *rest = layers
    # Differences do not change, and what is squared gets small: the sums below lose fewer digits.
    middle = gallery.mean(axis=0)
    query, gallery = query - middle, gallery - middle
    of_query, of_gallery = np.square(query) @ first + bias, np.square(gallery) @ first
    rows, columns = block_shape(len(query), len(gallery), *first.shape, budget_mb)
    weights = [ops.convert_to_tensor(array) for array in (first, *(array for layer in rest for array in layer))]
    compute = _compiled(first.shape[1], len(rest)).predict_on_batch
    logits = np.empty((len(query), len(gallery)), "float32")
    for left in range(0, len(gallery), columns):
        block = [
            ops.convert_to_tensor(_padded(array[left : left + columns], columns)) for array in (gallery, of_gallery)
        ]
        for top in range(0, len(query), rows):
            part = [_padded(array[top : top + rows], rows) for array in (query, of_query)]
            found = compute([part[0], block[0], part[1], block[1], *weights])
            target = logits[top : top + rows, left : left + columns]
            target[...] = found[: target.shape[0], : target.shape[1]]
    return logits


def block_shape(queries: int, galleries: int, size: int, width: int, budget_mb: int) -> tuple[int, int]:
    """Query and gallery rows of a block: powers of two, as many queries as the budget holds."""
    columns = min(_GALLERY_ROWS, _power_of_two(galleries))
    # Of a query: its weighted copies [H, D], and [H, G] before, between and after the sums.
    held = max(1, budget_mb * 2**20 // (4 * width * (size + 3 * columns)))
    return min(2 ** (held.bit_length() - 1), _QUERY_ROWS, _power_of_two(queries)), columns


def _power_of_two(count: int) -> int:
    """The least power of two that is not below ``count``."""
    return 2 ** max(count - 1, 0).bit_length()


def _padded(rows: np.ndarray, count: int) -> np.ndarray:
    """Zeros at the end, so that every block has the compiled shape."""
    return (
        rows if len(rows) == count else np.concatenate([rows, np.zeros((count - len(rows), rows.shape[1]), rows.dtype)])
    )
