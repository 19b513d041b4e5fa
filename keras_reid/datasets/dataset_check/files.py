"""One pass over the image files: each is read once, hashed, decoded and looked at, several at a time."""

import hashlib
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["FileFacts", "read_files"]

# A future per file would weigh more than what is known about it.
_FILES_AT_ONCE = 32
_ORIENTATION = 0x0112
# Smallest size at which an image is looked at; JPEG decodes to a half, a quarter or an eighth at once.
_LOOK_AT = (32, 64)
# Of 255: mean difference of the channels below which an image is grey, and range below which it is empty.
_GREY, _BLANK = 1.5, 8


@dataclass(frozen=True)
class FileFacts:
    """What is known about an image file.

    Attributes:
        problem: `""`, `"missing"`, `"empty"`, or why it cannot be decoded.
        digest: Hash of the bytes; empty if they were not read.
        size: Width and height; (0, 0) if it was not decoded.
        grey: Whether it has no colour.
        blank: Whether it shows nothing: every pixel has nearly the same colour.
        deep: Whether a pixel has more than 8 bits per channel.
        turned: Whether its EXIF entry says that it must be turned or mirrored to stand upright.
    """

    problem: str = ""
    digest: bytes = b""
    size: tuple[int, int] = (0, 0)
    grey: bool = False
    blank: bool = False
    deep: bool = False
    turned: bool = False


def read_files(
    paths: Sequence[str], decode: bool, progress: Callable[[int, int], None] | None = None
) -> dict[str, FileFacts]:
    """Looks at image files in threads: decoding releases Python's lock, and disks like several readers.

    Args:
        paths: The files, each once.
        decode: Whether to read and decode them; else only their presence and size are looked at.
        progress: Called with (done, in all).

    Returns:
        Path -> what was found, in the order given.

    Example:
        >>> from keras_reid.datasets.dataset_check.files import read_files
        >>> read_files(["/no.jpg"], decode=True)["/no.jpg"].problem
        'missing'
    """
    batches = [paths[start : start + _FILES_AT_ONCE] for start in range(0, len(paths), _FILES_AT_ONCE)]
    found: dict[str, FileFacts] = {}
    workers = ThreadPoolExecutor()
    try:
        for batch, facts in zip(
            batches, workers.map(lambda some: [_look(p, decode) for p in some], batches), strict=True
        ):
            found.update(zip(batch, facts, strict=True))
            if progress is not None:
                progress(len(found), len(paths))
    finally:
        workers.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest
    return found


def _look(path: str, decode: bool) -> FileFacts:
    """Reads one file."""
    try:
        if not decode:
            return FileFacts("" if Path(path).stat().st_size else "empty")
        content = Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return FileFacts("missing")
    except OSError as error:
        return FileFacts(error.strerror or str(error))
    if not content:
        return FileFacts("empty")
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return _decoded(content, digest)


def _decoded(content: bytes, digest: bytes) -> FileFacts:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            size, mode = image.size, image.mode
            turned = image.getexif().get(_ORIENTATION, 1) not in (0, 1)
            image.draft(mode, _LOOK_AT)
            image.load()  # `verify` does not notice a truncated JPEG
            pixels = _pixels(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return FileFacts(str(error), digest)
    channels = pixels.reshape(len(pixels), -1, 1 if pixels.ndim == 2 else pixels.shape[2])
    deep = mode[0] in "IF"
    return FileFacts(
        digest=digest,
        size=size,
        grey=bool(np.ptp(channels, axis=2).mean() < _GREY),
        blank=bool(np.ptp(channels, axis=(0, 1)).max() < (1 if deep else _BLANK)),
        deep=deep,
        turned=turned,
    )


def _pixels(image: "Image.Image") -> np.ndarray:
    """`[h, w]` or `[h, w, 3]` numbers of an image, a large one thinned out."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # straight to RGB, Pillow warns about transparency given as bytes
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("CMYK", "YCbCr", "HSV", "LAB"):
        image = image.convert("RGB")
    step = max(1, min(image.size) // _LOOK_AT[0])
    pixels = np.asarray(image)[::step, ::step]
    if image.mode.endswith(("A", "a")):
        pixels = pixels[..., :-1]  # what is transparent says nothing of colour
    return pixels
