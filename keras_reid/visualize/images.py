"""Pictures of people at one size, for panels and pages."""

import base64
import io
import os
from typing import Any

import numpy as np

from keras_reid.pipeline.decode import decode

__all__ = ["as_pixels", "data_uri", "jpeg_bytes", "thumbnail"]

THUMBNAIL_SIZE = (128, 64)
"""Height and width; two to one is the field's shape of a person."""


def thumbnail(path: str | os.PathLike[str], size: tuple[int, int] = THUMBNAIL_SIZE) -> np.ndarray:
    """Reads an image at a fixed size; a file that cannot be read becomes a crossed grey field.

    A picture of a ranking is looked at, not computed with, and one moved file should not cost the
    page: hence the placeholder, which nobody can mistake for a photograph. The pipeline, which
    feeds models, raises instead.

    Args:
        path: The image file.
        size: Height and width.

    Returns:
        uint8 array [height, width, 3], RGB.

    Example:
        >>> from keras_reid.visualize.images import thumbnail
        >>> thumbnail("no/such/file.jpg", size=(32, 16)).shape
        (32, 16, 3)
    """
    try:
        return decode(path, size, "bicubic")
    except ValueError:
        return _placeholder(*size)


def as_pixels(image: Any, size: tuple[int, int], interpolation: str = "bilinear") -> np.ndarray:
    """Returns what a model sees of an image: a file resized to its size, or the array as it is.

    Args:
        image: A path, or an array [H, W, 3] in [0, 1].
        size: Height and width that the model takes.
        interpolation: How a file is resized.

    Returns:
        float32 array [height, width, 3] in [0, 1].

    Raises:
        ValueError: The file cannot be read, or the array has another shape.

    Example:
        >>> import numpy as np
        >>> from keras_reid.visualize.images import as_pixels
        >>> as_pixels(np.zeros((8, 4, 3)), size=(8, 4)).dtype
        dtype('float32')
    """
    if isinstance(image, str | os.PathLike):
        return decode(image, size, interpolation).astype("float32") / 255.0
    image = np.asarray(image, "float32")
    if image.shape != (*size, 3):
        raise ValueError(
            f"An image given as an array must have the shape {(*size, 3)}, the model's. Received: {image.shape}. "
            "Give the path of the file to have it resized."
        )
    return image


def _placeholder(height: int, width: int) -> np.ndarray:
    """Draws the grey field with a diagonal cross."""
    field = np.full((height, width, 3), 205, np.uint8)
    rows = np.arange(height)
    columns = rows * width // height
    field[rows, columns] = field[rows, width - 1 - columns] = 140
    return field


def jpeg_bytes(image: np.ndarray, quality: int = 85) -> bytes:
    r"""Encodes an image [H, W, 3] of uint8 as JPEG.

    Args:
        image: The picture.
        quality: 1 to 95.

    Returns:
        The file's content.

    Example:
        >>> import numpy as np
        >>> from keras_reid.visualize.images import jpeg_bytes
        >>> jpeg_bytes(np.zeros((8, 8, 3), np.uint8))[:2]
        b'\xff\xd8'
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def data_uri(kind: str, content: bytes) -> str:
    """Writes a file's content as an address, so that a page holds it.

    Args:
        kind: Its media type, such as ``"image/png"``.
        content: The file's content.

    Returns:
        The address.

    Example:
        >>> from keras_reid.visualize.images import data_uri
        >>> data_uri("image/png", b"PNG")
        'data:image/png;base64,UE5H'
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
