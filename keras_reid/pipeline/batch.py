"""The batch contract: which tensors reach a model, under which names, dtypes and shapes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_reid.datasets import ReIDTable

__all__ = ["BATCH_DTYPES", "check_batch", "identity_labels"]

BATCH_DTYPES: dict[str, str] = {
    "image": "float32",
    "person_id": "int32",
    "camera_id": "int32",
    "modality": "int32",
    "domain": "int32",
    "index": "int32",
}
"""Keys of every batch and their dtypes. `image` is RGB in [0, 1], `[B, H, W, 3]`; the others are
`[B]`. `index` is the row of the table. `partner_image`, shaped like `image`, comes on request."""


def check_batch(batch: Mapping[str, Any]) -> None:
    """Raises an error that names the first departure from the batch contract.

    Args:
        batch: A dict of tensors or arrays, as a training or inference dataset yields them.

    Raises:
        ValueError: A key is missing or unknown, or a dtype, shape or value range is wrong.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline import check_batch
        >>> numbers = {key: np.zeros(2, "int32")
        ...            for key in ("person_id", "camera_id", "modality", "domain", "index")}
        >>> check_batch({"image": np.zeros((2, 64, 32, 3), "float32"), **numbers})
    """
    expected = set(BATCH_DTYPES)
    if missing := sorted(expected - set(batch)):
        raise ValueError(f"A batch must have the keys {sorted(expected)}. Missing: {missing}.")
    if unknown := sorted(set(batch) - expected - {"partner_image"}):
        raise ValueError(
            f"A batch has the keys {sorted(expected)} and `partner_image` on request. Received also: {unknown}."
        )
    arrays = {key: np.asarray(value) for key, value in batch.items()}
    for key, array in arrays.items():
        _check_entry(key, array, arrays["image"].shape)


def _check_entry(key: str, array: np.ndarray, image_shape: tuple[int, ...]) -> None:
    dtype = BATCH_DTYPES.get(key, "float32")
    if array.dtype != dtype:
        raise ValueError(f"`{key}` must be {dtype}. Received: {array.dtype}.")
    if key.endswith("image"):
        if array.ndim != 4 or array.shape[-1] != 3 or array.shape != image_shape:
            raise ValueError(f"`{key}` must have shape [B, H, W, 3]. Received: {array.shape}.")
        if array.size and not (array.min() >= 0 and array.max() <= 1):
            raise ValueError(f"`{key}` must lie in [0, 1]. Received values from {array.min()} to {array.max()}.")
    elif array.shape != image_shape[:1]:
        raise ValueError(f"`{key}` must have shape {image_shape[:1]}. Received: {array.shape}.")


def identity_labels(table: ReIDTable) -> tuple[np.ndarray, int]:
    """Numbers the identities of a table 0..K-1, in the order of their ids.

    Args:
        table: The training table, N rows.

    Returns:
        Labels `[N]` (int32) and the number K of identities.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.pipeline.batch import identity_labels
        >>> identity_labels(ReIDTable.from_columns(["/a.jpg", "/b.jpg", "/c.jpg"], [9, 4, 9]))
        (array([1, 0, 1], dtype=int32), 2)
    """
    identities, labels = np.unique(table.person_id, return_inverse=True)
    return labels.astype(np.int32), len(identities)
