"""Checks shared by everything that takes identities, cameras and times beside a score matrix."""

from typing import Any

import numpy as np

__all__ = ["full_scores", "integer_labels", "score_rows", "seconds"]


def integer_labels(name: str, values: Any, length: int | None = None) -> np.ndarray:
    """Returns ``values`` as a 1-d integer array, or raises ``ValueError`` with the argument's name."""
    labels = np.asarray(values)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`{name}` must be a 1-d array of integers. Received: shape {labels.shape}, dtype "
            f"{labels.dtype}. `np.unique(labels, return_inverse=True)` numbers labels of any kind; "
            "number query and gallery together."
        )
    if length is not None and len(labels) != length:
        raise ValueError(f"`{name}` must have {length} entries, one an image. Received: {len(labels)}.")
    return labels


def score_rows(block: Any, num_gallery: int, expected: str) -> np.ndarray:
    """Returns a block of score rows as a real 2-d array of the right width, or raises."""
    rows = np.asarray(block)
    if rows.dtype.kind not in "fiub":
        raise TypeError(f"Scores must be real numbers. Received: dtype {rows.dtype}.")
    if rows.ndim != 2 or rows.shape[1] != num_gallery:
        raise ValueError(f"{expected} Received: an array of shape {rows.shape}.")
    # float16 is compared in float32 (exact, and far faster).
    return rows.astype(np.float32) if rows.dtype == np.float16 else rows


def full_scores(scores: Any, num_queries: int, num_gallery: int) -> np.ndarray:
    """Returns a whole [Q, G] score matrix as a real array, or raises."""
    expected = f"`scores` must have shape [queries, gallery] = {(num_queries, num_gallery)}."
    rows = score_rows(scores, num_gallery, expected)
    if len(rows) != num_queries:
        raise ValueError(f"{expected} Received: an array of shape {rows.shape}.")
    return rows


def seconds(name: str, times: Any, length: int) -> np.ndarray:
    """Returns ``times`` as 1-d float64 seconds, or raises ``ValueError`` with the argument's name."""
    times_s = np.asarray(times)
    if times_s.ndim != 1 or len(times_s) != length or times_s.dtype.kind not in "fiu":
        raise ValueError(
            f"`{name}` must be {length} numbers, in seconds. Received: shape {times_s.shape}, dtype {times_s.dtype}."
        )
    return times_s.astype(np.float64, copy=False)
