"""Reading many image files with threads, and what happens to the unreadable ones."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.pipeline.decode import decode

__all__ = ["ON_BAD_IMAGE", "read_all"]

ON_BAD_IMAGE = ("raise", "skip")

# Bounds what waits in memory for its consumer: 12 MB of 64x128 crops, 50 MB at 256x128.
_CHUNK = 512


def read_all(
    paths: Sequence[str],
    size: tuple[int, int] | None = None,
    interpolation: str = "bilinear",
    on_bad_image: str = "raise",
) -> Iterator[np.ndarray | None]:
    """Decodes files in order, on as many threads as there are CPUs.

    Args:
        paths: The image files.
        size: Height and width to resize to; None keeps each image's own.
        interpolation: "bilinear" or "bicubic".
        on_bad_image: "raise", or "skip" to get None in place of an unreadable image.

    Yields:
        uint8 `[H, W, 3]`, or None.

    Raises:
        ValueError: A file cannot be read and `on_bad_image` is "raise", or `on_bad_image` is
            neither of the two.

    Example:
        >>> from keras_reid.pipeline.reading import read_all
        >>> list(read_all(["/no/such/file.jpg"], on_bad_image="skip"))
        [None]
    """
    if on_bad_image not in ON_BAD_IMAGE:
        raise unknown_name("value of `on_bad_image`", on_bad_image, ON_BAD_IMAGE)

    def read(path: str) -> np.ndarray | None:
        try:
            return decode(path, size, interpolation)
        except ValueError:
            if on_bad_image == "raise":
                raise
            return None

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for first in range(0, len(paths), _CHUNK):
            yield from threads.map(read, paths[first : first + _CHUNK])
