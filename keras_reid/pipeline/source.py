"""Where a row's image comes from: its file or a cache, at the size that the model wants."""

import os
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.cache import ImageCache
from keras_reid.pipeline.decode import check_interpolation, decode, resize
from keras_reid.pipeline.disk_cache import DiskCache
from keras_reid.pipeline.memory_cache import MemoryCache
from keras_reid.pipeline.reading import ON_BAD_IMAGE, read_all

__all__ = ["ImageSource", "image_source"]


class ImageSource(NamedTuple):
    """Where images come from.

    Attributes:
        load: A function from 0..M-1 to uint8 `[H, W, 3]`.
        used: The table's rows that these M numbers stand for, int64 `[M]`.
        skipped: Paths of the unreadable images.
        ready: Whether every image lies in memory at its final size.
    """

    load: Callable[[int], np.ndarray]
    used: np.ndarray
    skipped: tuple[str, ...]
    ready: bool


def image_source(
    table: ReIDTable,
    image_size: tuple[int, int],
    interpolation: str = "bilinear",
    cache: ImageCache | str | os.PathLike[str] | None = None,
    on_bad_image: str = "raise",
) -> ImageSource:
    """Makes the function that returns a row's image, and says which rows have one.

    Args:
        table: N images.
        image_size: Height and width.
        interpolation: "bilinear" or "bicubic".
        cache: Where decoded images are kept: None, "memory", a folder, or a cache.
        on_bad_image: "raise" or "skip".

    Returns:
        The function, the rows and the skipped paths.

    Raises:
        ValueError: An argument is impossible, the table is empty, an image cannot be read and
            `on_bad_image` is "raise" (without a cache: when it is asked for), or none can be read.
    """
    check_interpolation(interpolation)
    if on_bad_image not in ON_BAD_IMAGE:
        raise unknown_name("value of `on_bad_image`", on_bad_image, ON_BAD_IMAGE)
    if len(table) == 0:
        raise ValueError("The table has no rows. Expected one image at least.")
    paths = table.path.tolist()
    images: Sequence[np.ndarray | None] = ()
    if cache is not None:
        images = _as_cache(cache).images(paths, image_size, interpolation, on_bad_image)
        readable = [image is not None for image in images]
    elif on_bad_image == "skip":
        readable = [image is not None for image in read_all(paths, on_bad_image="skip")]
    else:
        readable = [True] * len(paths)
    used = np.flatnonzero(readable)
    skipped = tuple(path for path, good in zip(paths, readable, strict=True) if not good)
    if skipped:
        _report_skipped(skipped, len(paths))
    if cache is not None:
        kept = [image for image in images if image is not None]
        ready = all(image.shape[:2] == image_size for image in kept)
        return ImageSource(lambda row: resize(kept[row], image_size, interpolation), used, skipped, ready)
    files = [paths[row] for row in used.tolist()]
    return ImageSource(lambda row: decode(files[row], image_size, interpolation), used, skipped, False)


def _report_skipped(skipped: tuple[str, ...], total: int) -> None:
    message = f"{len(skipped)} of {total} images cannot be read, the first is {skipped[0]!r}."
    if len(skipped) == total:
        raise ValueError(f"{message} None is left: check the data set's root folder.")
    warnings.warn(f"{message} Skipped; see `.skipped`.", stacklevel=4)


def _as_cache(cache: ImageCache | str | os.PathLike[str]) -> ImageCache:
    if isinstance(cache, ImageCache):
        return cache
    return MemoryCache() if cache == "memory" else DiskCache(cache)
