"""Images as people have them at hand: files, folders, arrays, Pillow images, or all of them in one list."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_reid.checks import unknown_name
from keras_reid.datasets._layout import list_images
from keras_reid.pipeline.decode import check_interpolation, decode, decode_picture
from keras_reid.pipeline.reading import ON_BAD_IMAGE, read_all
from keras_reid.pipeline.source import ImageSource

__all__ = ["gather", "input_source"]

_EXPECTED = "a path, a folder, a numpy array, a Pillow image, or a list of these"


def gather(images: Any) -> list[tuple[str, Any]]:
    """Puts images of any kind in one list; a folder becomes its files.

    Args:
        images: A path; a folder, whose images are taken with those of its sub-folders, sorted by name; an array
            `[H, W, 3]`, `[H, W, 4]` or `[H, W]` of uint8, or of floats in [0, 1]; a Pillow image; a list or an array
            `[N, ...]` of these.

    Returns:
        A name and the image, one pair for each: the path as both; "image 3" and the Pillow image for the fourth of a
        list.

    Raises:
        TypeError: It is something else.
        ValueError: There is no image, or an array has another shape or range.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.inputs import gather
        >>> [name for name, _ in gather(["a.jpg", np.zeros((8, 4, 3))])]
        ['a.jpg', 'image 1']
    """
    found: list[tuple[str, Any]] = []
    for number, item in enumerate(_items(images)):
        name = f"image {number}"
        if isinstance(item, str | os.PathLike):
            path = Path(item).expanduser()
            files = [path / file for file in list_images(path, recursive=True)] if path.is_dir() else [path]
            found += [(str(file), str(file)) for file in files]
        elif isinstance(item, Image.Image):
            found.append((name, item))
        elif isinstance(item, np.ndarray):
            found.append((name, Image.fromarray(_bytes(item, name))))
        else:
            raise TypeError(f"Expected {_EXPECTED}. Received: a {type(item).__name__} as {name}.")
    if not found:
        raise ValueError(f"There is no image. Expected {_EXPECTED}. Received: an empty {type(images).__name__}.")
    return found


def input_source(
    images: Any, image_size: tuple[int, int], interpolation: str = "bilinear", on_bad_image: str = "raise"
) -> tuple[ImageSource, list[str]]:
    """Makes the function that loads each of the images that `gather` finds, exactly as the pipeline loads files.

    Files are read when they are asked for. Images in memory are resized at once, and are rounded to the 256 levels
    of a file if they are floats.

    Args:
        images: As in `gather`.
        image_size: Height and width.
        interpolation: "bilinear" or "bicubic".
        on_bad_image: "raise", or "skip" to leave unreadable images out; every file is then read once now.

    Returns:
        Where the images come from, and the names of all of them.

    Raises:
        TypeError: As in `gather`.
        ValueError: As in `gather`; a file is missing or an image cannot be read and `on_bad_image` is "raise" (files
            that exist: when they are asked for); or none can be read.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.inputs import input_source
        >>> source, names = input_source(np.zeros((9, 7, 3), "uint8"), (64, 32))
        >>> source.load(0).shape, names
        ((64, 32, 3), ['image 0'])
    """
    check_interpolation(interpolation)
    if on_bad_image not in ON_BAD_IMAGE:
        raise unknown_name("value of `on_bad_image`", on_bad_image, ON_BAD_IMAGE)
    skip = on_bad_image == "skip"
    found = gather(images)
    kept: list[Any] = [
        image if isinstance(image, str) else _resized(image, name, image_size, interpolation, skip)
        for name, image in found
    ]
    files = [row for row, image in enumerate(kept) if isinstance(image, str)]
    if skip:
        read = read_all([kept[row] for row in files], on_bad_image="skip")
        for row, pixels in zip(files, read, strict=True):
            kept[row] = None if pixels is None else kept[row]
    else:
        # A misspelt name is said now, and not after an hour.
        missing = [kept[row] for row in files if not Path(kept[row]).exists()]
        if missing:
            others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise ValueError(f"There is no file or folder {missing[0]!r}{others}. Give {_EXPECTED}.")
    used = np.flatnonzero([image is not None for image in kept])
    names = [name for name, _ in found]
    skipped = tuple(name for name, image in zip(names, kept, strict=True) if image is None)
    if not len(used):
        raise ValueError(f"None of the {len(names)} images can be read, the first is {names[0]!r}.")

    def load(row: int) -> np.ndarray:
        image = kept[used[row]]
        return decode(image, image_size, interpolation) if isinstance(image, str) else image

    return ImageSource(load, used, skipped, not files), names


def _items(images: Any) -> Iterable[Any]:
    """One image as a list of it; whatever holds several as it is."""
    if isinstance(images, str | os.PathLike | Image.Image):
        return [images]
    if isinstance(images, np.ndarray):
        return images if images.ndim == 4 or images.dtype.kind in "OU" else [images]
    if isinstance(images, Iterable):
        return images
    raise TypeError(f"Expected {_EXPECTED}. Received: a {type(images).__name__}.")


def _resized(image: Image.Image, name: str, size: tuple[int, int], interpolation: str, skip: bool) -> np.ndarray | None:
    """The image's pixels; None if the file behind it is cut short and may be skipped."""
    try:
        return decode_picture(image, name, size, interpolation)
    except ValueError:
        if skip:
            return None
        raise


def _bytes(array: np.ndarray, name: str) -> np.ndarray:
    """Checks an array and returns it as uint8, `[H, W]`, `[H, W, 3]` or `[H, W, 4]`."""
    pixels = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    if not pixels.size or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] in (3, 4))):
        raise ValueError(
            f"An image must be an array [H, W, 3], [H, W, 4] or [H, W] with at least one pixel. Received: {name} of "
            f"shape {array.shape}. Bring the channels to the end with np.moveaxis(image, 0, -1)."
        )
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind != "f" or not (pixels.min() >= 0.0 and pixels.max() <= 1.0):
        bounds = f"{pixels.min():g} to {pixels.max():g}"
        raise ValueError(
            f"An image must be uint8, or floats in [0, 1]. Received: {name} of {pixels.dtype}, {bounds}. Of 0 to 255: "
            "image.astype('uint8'); normalised: undo it, the model normalises by itself."
        )
    return np.round(pixels * 255.0).astype(np.uint8)
