"""Pictures that somebody sent, read without trust; and pictures of the gallery, as part of a page."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from keras_reid.pipeline.decode import decode, decode_picture
from keras_reid.visualize.images import data_uri, jpeg_bytes

__all__ = ["FORMATS", "MOST_PIXELS", "picture_uri", "read_crop", "thumbnail_uri"]

# Pillow opens dozens of formats, some by starting other programs. A camera's crop has one of these.
FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
MOST_PIXELS = 16_000_000
_THUMBNAIL = (192, 96)
# What Pillow raises on a header that is none of an image, or that announces more pixels than it would open.
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning)


def read_crop(content: bytes, size: tuple[int, int], interpolation: str = "bilinear") -> np.ndarray:
    """Decodes an image that a stranger sent, at the model's size.

    The header is read first; an image that would need too much memory is refused before a pixel of it is decoded.

    Args:
        content: The file's bytes.
        size: Height and width.
        interpolation: As the model's.

    Returns:
        uint8 ``[height, width, 3]``, the same as the pipeline makes of the file.

    Raises:
        ValueError: It is no image, is cut short, or has too many pixels.

    Example:
        >>> import numpy as np
        >>> from keras_reid.serving.pictures import read_crop
        >>> from keras_reid.visualize.images import jpeg_bytes
        >>> read_crop(jpeg_bytes(np.zeros((8, 4, 3), "uint8")), (64, 32)).shape
        (64, 32, 3)
    """
    expected = f"Expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]} of a person"
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large("far more pixels") from error
    except _UNREADABLE as error:
        raise ValueError(f"This file is not an image that can be read. {expected}.") from error
    with picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise _too_large(f"{width} x {height}")
        try:
            return decode_picture(picture, "the image", size, interpolation)
        except ValueError as error:
            raise ValueError(f"This image is damaged or cut short. {expected}.") from error


def _too_large(received: str) -> ValueError:
    return ValueError(
        f"An image may have {MOST_PIXELS // 10**6} million pixels. Received: {received}. Cut the person out of it."
    )


def picture_uri(pixels: np.ndarray) -> str:
    """Returns pixels as an address that holds them, so that no file is written for a page to show them.

    Args:
        pixels: uint8 ``[H, W, 3]``.

    Returns:
        ``data:image/jpeg;base64,...``.

    Example:
        >>> import numpy as np
        >>> from keras_reid.serving.pictures import picture_uri
        >>> picture_uri(np.zeros((8, 4, 3), "uint8"))[:23]
        'data:image/jpeg;base64,'
    """
    return data_uri("image/jpeg", jpeg_bytes(pixels))


def thumbnail_uri(path: str | None) -> str | None:
    """Returns a small copy of an image that the gallery's own record names.

    Args:
        path: The record's path; never one that a client sent.

    Returns:
        As `picture_uri`; ``None`` if there is no such file, or it cannot be read.

    Example:
        >>> from keras_reid.serving.pictures import thumbnail_uri
        >>> thumbnail_uri("moved/away.jpg") is None
        True
    """
    if path is None or not Path(path).is_file():  # a device or a pipe would be read for ever
        return None
    try:
        return picture_uri(decode(path, _THUMBNAIL, "bicubic"))
    except ValueError:
        return None
