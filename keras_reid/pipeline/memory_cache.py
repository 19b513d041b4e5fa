"""Decoded uint8 images kept in memory for the next epoch."""

from collections.abc import Sequence

import numpy as np

from keras_reid.pipeline.cache import check_content, file_key
from keras_reid.pipeline.reading import read_all

__all__ = ["MemoryCache"]


class MemoryCache:
    """Keeps decoded images in memory; the same object may serve several tables.

    Images that an earlier table had brought in are not read again, unless their file's size or
    modification time has changed.

    Args:
        content: "resized" keeps them at the pipeline's image size (fastest), "native" at their
            own (Market-1501: a quarter of the memory, but each use is a resize).

    Raises:
        ValueError: The content is unknown.

    Example:
        >>> from keras_reid.pipeline import MemoryCache
        >>> cache = MemoryCache(content="native")
    """

    def __init__(self, content: str = "resized") -> None:
        self.content = check_content(content)
        self._images: dict[tuple[object, ...], np.ndarray | None] = {}

    def images(
        self,
        paths: Sequence[str],
        size: tuple[int, int],
        interpolation: str = "bilinear",
        on_bad_image: str = "raise",
    ) -> list[np.ndarray | None]:
        """Returns the images of some files, reading those that are not there yet.

        Args:
            paths: N image files.
            size: Height and width of resized images.
            interpolation: "bilinear" or "bicubic".
            on_bad_image: "raise", or "skip" to get None in place of an unreadable image.

        Returns:
            N arrays, read-only uint8 `[H, W, 3]`, or None.

        Raises:
            ValueError: A file cannot be read and `on_bad_image` is "raise".
        """
        target = (size[0], size[1]) if self.content == "resized" else None
        keys = [(target, target and interpolation, *file_key(path)) for path in paths]
        unknown = {
            key: path
            for key, path in zip(keys, paths, strict=True)
            # An image that was skipped before must be named by an error now.
            if key not in self._images or (self._images[key] is None and on_bad_image == "raise")
        }
        images = read_all(list(unknown.values()), target, interpolation, on_bad_image)
        self._images.update(zip(unknown, images, strict=True))
        return [self._images[key] for key in keys]
