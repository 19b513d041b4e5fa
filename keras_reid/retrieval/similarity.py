"""Similarities in row blocks, so that no [Q, G] array exists unless someone asks for one."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int

__all__ = ["Scorer", "cosine_blocks", "cosine_similarity", "score_blocks"]

Scorer = Callable[[Any, Any], Any]


def cosine_similarity(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    r"""Cosine of the angle between every query and every gallery feature.

    ``s[q, g] = <x_q, y_g> / (max(|x_q|, eps) max(|y_g|, eps))`` with ``eps = 1e-12``. The product is
    divided by the norms, so the features are never copied.

    Args:
        query: [Q, D] features.
        gallery: [G, D] features.

    Returns:
        [Q, G] similarities, higher is closer, float32 (float64 for float64 features).

    Raises:
        ValueError: The features are not two matrices of equal width.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> retrieval.cosine_similarity(np.array([[3.0, 4.0]]), np.array([[6.0, 8.0], [4.0, -3.0]]))
        array([[1., 0.]])
    """
    query, gallery = _checked(query, gallery)
    return _cosine(query, gallery, _norms(gallery))


def cosine_blocks(query: Any, gallery: Any, block_rows: int | None = None) -> Iterator[np.ndarray]:
    """Yields the rows of ``cosine_similarity`` in blocks; the gallery's norms are computed once."""
    query, gallery = _checked(query, gallery)
    norms = _norms(gallery)
    return score_blocks(lambda rows, images: _cosine(rows, images, norms), query, gallery, block_rows=block_rows)


def score_blocks(
    score: Scorer,
    query: Any,
    gallery: Any,
    *,
    block_rows: int | None = None,
    budget_bytes: int = 16 * 2**20,
) -> Iterator[np.ndarray]:
    """Yields the rows of ``score(query, gallery)`` block by block.

    Args:
        score: Callable (query features [b, ...], gallery features [G, ...]) -> [b, G], higher is
            closer; for instance ``model.score`` or ``cosine_similarity``.
        query: Features of the queries, anything that can be sliced by rows.
        gallery: Features of the gallery, handed to ``score`` as they are.
        block_rows: Queries per block. None: as many as ``budget_bytes`` allows.
        budget_bytes: Upper bound of one float32 block of scores. What ``score`` needs inside itself
            comes on top.

    Yields:
        [b, G] arrays, the queries in their order.

    Raises:
        ValueError: ``block_rows`` or ``budget_bytes`` is below 1, or a block has another shape.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> features = np.eye(5)
        >>> [b.shape for b in retrieval.score_blocks(
        ...     retrieval.cosine_similarity, features, features, block_rows=2)]
        [(2, 5), (2, 5), (1, 5)]
    """
    check_positive_int("budget_bytes", budget_bytes)
    if block_rows is None:
        block_rows = max(1, budget_bytes // (4 * max(1, len(gallery))))
    check_positive_int("block_rows", block_rows)
    for start in range(0, len(query), block_rows):
        rows = query[start : start + block_rows]
        block = np.asarray(score(rows, gallery))
        if block.shape != (len(rows), len(gallery)):
            raise ValueError(
                f"`score` must return an array of shape [queries, gallery] = "
                f"{(len(rows), len(gallery))}. Received: {block.shape}."
            )
        yield block


def _checked(query: Any, gallery: Any) -> tuple[np.ndarray, np.ndarray]:
    query, gallery = _as_float(query), _as_float(gallery)
    if query.ndim != 2 or gallery.ndim != 2 or query.shape[1] != gallery.shape[1]:
        raise ValueError(
            "Cosine similarity needs features of shapes [Q, D] and [G, D]. "
            f"Received: {query.shape} and {gallery.shape}. Pass pooled embeddings, "
            "or a `score` function of your own for feature maps."
        )
    return query, gallery


def _cosine(query: np.ndarray, gallery: np.ndarray, gallery_norms: np.ndarray) -> np.ndarray:
    scores = query @ gallery.T
    scores /= _norms(query)[:, None]
    scores /= gallery_norms
    return scores


def _as_float(features: Any) -> np.ndarray:
    features = np.asarray(features)
    return features if features.dtype == np.float64 else features.astype(np.float32, copy=False)


def _norms(features: np.ndarray) -> np.ndarray:
    return np.maximum(np.sqrt(np.einsum("nd,nd->n", features, features)), 1e-12)
