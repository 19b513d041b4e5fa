"""Checks shared by everything that takes identities, cameras and times beside a score matrix."""

from typing import Any

import numpy as np

__all__ = ["integer_labels", "score_rows"]


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
