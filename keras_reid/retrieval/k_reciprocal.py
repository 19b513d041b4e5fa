"""k-reciprocal encoding (Zhong et al. 2017) in sparse form."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_reid.retrieval.item_distances import ItemDistances

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Encoding", "Neighbours", "Variant", "encode", "nearest", "overlap", "reach"]

_BLOCK_ITEMS = 256
_PAIR_ITEMS = 32


class Variant(NamedTuple):
    """What the implementations in circulation do differently (their numbers are not comparable).

    Attributes:
        power: The distance ``1 - score`` is raised to this power.
        by_maximum: Each item's distances are divided by their maximum.
        weight_scale: Neighbour weights are ``exp(-weight_scale * distance)``.
        neighbours: ``k1 + neighbours`` nearest items, the item itself included, are looked at.
        expanded: Encodings are averaged over the ``k2 + expanded`` nearest items.
    """

    power: int = 1
    by_maximum: bool = True
    weight_scale: float = 1.0
    neighbours: int = 1
    expanded: int = 0


class Encoding(NamedTuple):
    """The encodings of all items, and what scales their distances.

    Attributes:
        vectors: [N, N] sparse rows that sum to one: how strongly items share neighbours.
        scale: [N] factors of each item's distances (after the power).
    """

    vectors: "csr_array"
    scale: np.ndarray


class Neighbours(NamedTuple):
    """The K nearest items of each item, itself among them.

    Attributes:
        items: [N, K] int32, nearest first.
        distance: [N, K] their distances.
        largest: [N] the distance of each item's farthest item.
    """

    items: np.ndarray
    distance: np.ndarray
    largest: np.ndarray


def encode(
    distances: ItemDistances, k1: int, k2: int, variant: Variant, neighbours: Neighbours | None = None
) -> Encoding:
    """Encodes every item by its k-reciprocal neighbours.

    With N(i, k) the k + 1 nearest items (i included) and R(i, k) those j of N(i, k) with i in N(j, k):
    R*(i) is R(i, k1) united with R(j, k1/2) for each j in R(i, k1) that shares more than two thirds of
    it; ``V[i, j] = exp(-d_ij) / sum`` on R*(i), and then ``V[i] <- mean of V over N(i, k2 - 1)``.

    Args:
        distances: Distances among all N items.
        k1: Size of the reciprocal neighbourhoods.
        k2: Number of items that an encoding is averaged over.
        variant: Departures from the paper.
        neighbours: What `nearest` returned, if it is there already; at least ``reach(k1, k2, variant)`` of each item.

    Returns:
        ``Encoding``.
    """
    from scipy.sparse import csr_array  # 0.1 s that most of the package can do without

    size = distances.size
    near = neighbours or nearest(distances, reach(k1, k2, variant))
    scale = np.ones(size, dtype=np.float32)
    if variant.by_maximum:
        largest = near.largest**variant.power
        scale = np.where(largest > 0, 1.0 / np.where(largest > 0, largest, 1.0), 1.0)
        scale = scale.astype(np.float32)
    rows, columns, values = _reciprocal_sets(distances, near, k1, variant.neighbours)
    weights = np.exp(-variant.weight_scale * scale[rows] * values**variant.power)
    weights /= np.bincount(rows, weights, minlength=size).astype(np.float32)[rows]
    vectors = csr_array((weights, (rows, columns)), shape=(size, size))
    averaged = near.items[:, : k2 + variant.expanded]
    if averaged.shape[1] > 1:
        count = averaged.shape[1]
        mean = csr_array(
            (
                np.full(averaged.size, 1.0 / count, dtype=np.float32),
                averaged.ravel(),
                np.arange(0, averaged.size + 1, count),
            ),
            shape=(size, size),
        )
        vectors = mean @ vectors
    return Encoding(vectors, scale)


def overlap(row_columns: np.ndarray, row_values: np.ndarray, by_column: "csr_array", size: int) -> np.ndarray:
    """Returns ``m[x] = sum_j min(V[i, j], V[x, j])`` of one sparse row i with all ``size`` rows x.

    Args:
        row_columns: Columns of row i.
        row_values: Their values.
        by_column: Transposed encodings: row j lists the x with V[x, j] > 0.
        size: Number of rows x.

    Returns:
        [size] float64.
    """
    starts = by_column.indptr[row_columns]
    lengths = by_column.indptr[row_columns + 1] - starts
    ends = np.cumsum(lengths)
    if not len(ends) or not ends[-1]:
        return np.zeros(size)
    positions = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
    shared = np.minimum(by_column.data[positions], np.repeat(row_values, lengths))
    return np.bincount(by_column.indices[positions], shared, minlength=size)


def reach(k1: int, k2: int, variant: Variant) -> int:
    """Returns how many nearest items of each item `encode` looks at."""
    return max(k1 + 1, k2 + variant.expanded)


def nearest(distances: ItemDistances, count: int) -> Neighbours:
    """Finds the nearest items of every item, block by block: the costly part of re-ranking.

    Args:
        distances: Distances among all N items.
        count: How many, the item itself included; all of them if there are fewer.

    Returns:
        ``Neighbours``; equal distances come in the order of the items.

    Raises:
        ValueError: A score is NaN or far above 1.
    """
    size = distances.size
    count = min(count, size)
    index = np.empty((size, count), dtype=np.int32)
    near = np.empty((size, count), dtype=np.float32)
    largest = np.empty(size, dtype=np.float32)
    for start, block in distances.row_blocks():
        rows = slice(start, start + len(block))
        chosen = np.argpartition(block, count - 1, axis=1)[:, :count]
        chosen.sort(axis=1)  # so that equal distances come in the order of the items
        values = np.take_along_axis(block, chosen, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        index[rows] = np.take_along_axis(chosen, order, axis=1)
        near[rows] = np.take_along_axis(values, order, axis=1)
        largest[rows] = block.max(axis=1)
    if size and largest.min() < -1e-6:
        raise ValueError(
            "Re-ranking needs scores of at most 1 (distance 1 - score). Received: an item whose "
            f"scores all exceed 1, the least being {1 - largest.min():.4g}. Pass similarities such "
            "as cosines or sigmoid(logits)."
        )
    return Neighbours(index, near, largest)


def _reciprocal_sets(
    distances: ItemDistances, near: Neighbours, k1: int, extra: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns rows, columns and distances of all pairs (i, j) with j in R*(i), sorted by row."""
    wide = near.items[:, : k1 + extra]
    narrow = near.items[:, : round(k1 / 2) + 1]
    in_wide, in_narrow = _reciprocal(wide), _reciprocal(narrow)
    parts = []
    for start, stop in distances.spans(_PAIR_ITEMS):
        own = in_wide[start:stop]
        rows, places = np.nonzero(own)
        parts.append((rows + start, wide[start:stop][own], near.distance[start:stop][rows, places]))
        new_rows, new_columns = _expansion(wide, in_wide, narrow, in_narrow, start, stop)
        if len(new_rows):
            columns, inverse = np.unique(new_columns, return_inverse=True)
            block = distances.to(start, stop, columns)
            parts.append((new_rows + start, new_columns, block[new_rows, inverse]))
    rows, columns, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows, columns, values


def _reciprocal(index: np.ndarray) -> np.ndarray:
    """Returns, for each neighbour j of i, whether i is among the neighbours of j: [N, K] bool."""
    mutual = np.empty(index.shape, dtype=bool)
    for start in range(0, len(index), _BLOCK_ITEMS):
        rows = slice(start, start + _BLOCK_ITEMS)
        own = np.arange(len(index))[rows, None, None]
        mutual[rows] = (index[index[rows]] == own).any(axis=2)
    return mutual


def _expansion(
    wide: np.ndarray,
    in_wide: np.ndarray,
    narrow: np.ndarray,
    in_narrow: np.ndarray,
    start: int,
    stop: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns (row - start, column) of what R*(i) has beyond R(i, k1), for a span of items."""
    neighbours = wide[start:stop]  # [b, K]
    is_member = in_wide[start:stop]
    candidates = narrow[neighbours]  # [b, K, H]
    in_candidate_set = in_narrow[neighbours]
    # Absent neighbours become -1, which no candidate equals.
    members = np.where(is_member, neighbours, -1)[:, None, None, :]
    known = (candidates[..., None] == members).any(axis=3)  # [b, K, H]
    shared = (known & in_candidate_set).sum(axis=2)
    close = is_member & (3 * shared > 2 * in_candidate_set.sum(axis=2))
    rows, places, others = np.nonzero(close[..., None] & in_candidate_set & ~known)
    keys = np.unique(rows * len(wide) + candidates[rows, places, others].astype(np.int64))
    return keys // len(wide), keys % len(wide)
