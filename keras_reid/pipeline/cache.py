"""What a cache of decoded images is, and how it knows an image again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from keras_reid.checks import unknown_name

__all__ = ["CONTENTS", "ImageCache", "check_content", "file_key"]

CONTENTS = ("resized", "native")
"""Images at the pipeline's size, or at their own."""


@runtime_checkable
class ImageCache(Protocol):
    """Anything that keeps decoded images."""

    def images(
        self,
        paths: Sequence[str],
        size: tuple[int, int],
        interpolation: str = "bilinear",
        on_bad_image: str = "raise",
    ) -> Sequence[np.ndarray | None]:
        """Returns uint8 `[H, W, 3]` for each path, or None for an unreadable image."""
        ...


def check_content(content: str) -> str:
    """Returns `content` if a cache can hold it.

    Args:
        content: What was received.

    Returns:
        The same.

    Raises:
        ValueError: It is neither "resized" nor "native".

    Example:
        >>> from keras_reid.pipeline.cache import check_content
        >>> check_content("native")
        'native'
    """
    if content not in CONTENTS:
        raise unknown_name("cache content", content, CONTENTS)
    return content


def file_key(path: str) -> tuple[str, int, int]:
    """Returns what tells a version of a file from others: path, size, modification time.

    Args:
        path: The file.

    Returns:
        Path, bytes and nanoseconds; -1 and -1 if there is no such file.

    Example:
        >>> from keras_reid.pipeline.cache import file_key
        >>> file_key("/no/such/file.jpg")
        ('/no/such/file.jpg', -1, -1)
    """
    try:
        status = Path(path).stat()
    except OSError:
        return path, -1, -1
    return path, status.st_size, status.st_mtime_ns
