"""The k best of a row, in a defined order."""

import numpy as np

__all__ = ["top_k_of_row"]


def top_k_of_row(row: np.ndarray, k: int) -> np.ndarray:
    """Returns the positions of the ``k`` largest values, best first; ties by the lower position.

    Args:
        row: [G] values without NaN.
        k: How many; all of them if ``k`` exceeds G.

    Returns:
        [min(k, G)] int64 positions.

    Example:
        >>> import numpy as np
        >>> top_k_of_row(np.array([0.1, 0.9, 0.5, 0.9]), 3)
        array([1, 3, 2])
    """
    k = min(k, len(row))
    if k < 1:
        return np.zeros(0, dtype=np.int64)
    bound = np.partition(row, len(row) - k)[len(row) - k]
    better = np.flatnonzero(row > bound)
    # `argpartition` would take an arbitrary few of the images that tie at the bound.
    tied = np.flatnonzero(row == bound)[: k - len(better)]
    chosen = np.sort(np.concatenate([better, tied]))
    return chosen[np.argsort(-row[chosen].astype(np.float64), kind="stable")]
