"""Features of every image of a table, by any model that has `extract`."""

from typing import Any, Protocol

import numpy as np

from keras_reid import pipeline
from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDTable

__all__ = ["Extractor", "extract", "extract_readable"]


class Extractor(Protocol):
    """What a model must have to be evaluated; every ``ReIDModel`` has it.

    Attributes:
        name: Name for the report.
        image_size: Height and width of the images it takes.
        interpolation: How images are resized to it, ``"bilinear"`` or ``"bicubic"``.

    Example:
        >>> import numpy as np
        >>> class MeanColour:
        ...     name, image_size, interpolation = "mean_colour", (64, 32), "bilinear"
        ...     def extract(self, images, verbose=0):
        ...         return np.concatenate([np.mean(b["image"], axis=(1, 2)) for b in images])
        ...     def score(self, query_features, gallery_features):
        ...         return query_features @ gallery_features.T
    """

    name: str
    image_size: tuple[int, int]
    interpolation: str

    def extract(self, images: Any, *, verbose: int = 0) -> np.ndarray:
        """Returns the features ``[N, ...]`` of a dataset of ``pipeline.inference``."""

    def score(self, query_features: Any, gallery_features: Any) -> np.ndarray:
        """Returns the similarities ``[Q, G]``; higher is closer."""


def extract(
    model: Extractor,
    table: ReIDTable,
    batch_size: int = 64,
    progress: bool = True,
    on_bad_image: str = "raise",
) -> np.ndarray:
    """Computes the features of a table's images, in the order of its rows.

    Args:
        model: A ``ReIDModel``, or anything with its `extract`, `image_size` and `interpolation`.
        table: N images.
        batch_size: Images at a time.
        progress: Whether to show a progress bar.
        on_bad_image: ``"raise"``, or ``"skip"`` to go on without the files that cannot be read.

    Returns:
        ``[N, ...]`` features; NaN for an image that was skipped.

    Raises:
        ValueError: The table is empty, a file cannot be read, or the model returned another number
            of features than there are images.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.evaluation import extract
        >>> extract(None, ReIDTable.from_columns([], []))
        Traceback (most recent call last):
            ...
        ValueError: `table` must hold at least one image. Received an empty table.
    """
    features, readable = extract_readable(model, table, batch_size, progress, on_bad_image)
    if readable.all():
        return features
    whole = np.full((len(table), *features.shape[1:]), np.nan, features.dtype)
    whole[readable] = features
    return whole


def extract_readable(
    model: Extractor, table: ReIDTable, batch_size: int, progress: bool, on_bad_image: str
) -> tuple[np.ndarray, np.ndarray]:
    """As `extract`, but leaves unreadable images out and says which they are.

    Args:
        model: As in `extract`.
        table: As in `extract`.
        batch_size: As in `extract`.
        progress: As in `extract`.
        on_bad_image: As in `extract`.

    Returns:
        ``[M, ...]`` features of the M readable images, and ``[N]`` booleans, M of them true.

    Raises:
        ValueError: As in `extract`.

    Example:
        See `extract`.
    """
    if not len(table):
        raise ValueError("`table` must hold at least one image. Received an empty table.")
    check_positive_int("batch_size", batch_size)
    images = pipeline.inference(
        table,
        image_size=model.image_size,
        batch_size=batch_size,
        interpolation=model.interpolation,
        on_bad_image=on_bad_image,
    )
    features = np.asarray(model.extract(images, verbose=int(progress)))
    readable = ~np.isin(table.path.astype(str), images.skipped)
    if len(features) != readable.sum():
        raise ValueError(
            f"`model.extract` must return one feature per image, {readable.sum()}. Received: {len(features)}."
        )
    return features, readable
