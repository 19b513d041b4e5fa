"""Decoded uint8 images kept on disk for the next epoch and the next run."""

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from keras_reid.pipeline.cache import check_content, file_key
from keras_reid.pipeline.reading import read_all

__all__ = ["DiskCache"]

# Part of every key; to be raised when the files' layout or the decoding changes.
_FORMAT = 1
_INDEX_DTYPE = np.dtype([("offset", "<i8"), ("height", "<i4"), ("width", "<i4")])
_ABANDONED_AFTER_S = 600.0


class DiskCache:
    """Keeps decoded images in two files per data set, which are mapped into memory.

    The files' name is a digest of every image's path, size and modification time, and of the
    resizing; a changed data set gets new files. They appear under that name only when complete:
    a fill that was killed leaves nothing that could be taken for a cache.

    Args:
        folder: Where the files lie; made if need be.
        content: "resized" keeps images at the pipeline's image size (fastest), "native" at their
            own.

    Raises:
        ValueError: The content is unknown.

    Example:
        >>> from keras_reid.pipeline import DiskCache
        >>> cache = DiskCache("/data/reid-cache", content="native")
    """

    def __init__(self, folder: str | os.PathLike[str], content: str = "resized") -> None:
        self.folder = Path(folder)
        self.content = check_content(content)

    def images(
        self,
        paths: Sequence[str],
        size: tuple[int, int],
        interpolation: str = "bilinear",
        on_bad_image: str = "raise",
    ) -> list[np.ndarray | None]:
        """Returns the images of some files, reading the files if no valid cache of them exists.

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
        # Sorted and without repeats: the same images under other labels share the files.
        distinct, row_of = np.unique(np.asarray(paths, dtype=str), return_inverse=True)
        keys = [file_key(str(path)) for path in distinct]
        spec = repr((_FORMAT, target, target and interpolation, keys))
        name = hashlib.sha256(spec.encode()).hexdigest()[:32]
        images = self._map(name, len(distinct))
        if images is None or (on_bad_image == "raise" and any(image is None for image in images)):
            self._fill(name, [str(path) for path in distinct], target, interpolation, on_bad_image)
            images = self._map(name, len(distinct))
            if images is None:
                raise OSError(
                    f"The cache {name} in {str(self.folder)!r} changed while it was written. "
                    "Give each run its own folder, or start again."
                )
        return [images[row] for row in row_of]

    def _map(self, name: str, count: int) -> list[np.ndarray | None] | None:
        """Maps a cache's images, or returns None if there is no complete one."""
        pixel_file, index_file = self._pixel_file(name), self._index_file(name)
        try:
            index = np.load(index_file)
            stored = pixel_file.stat().st_size
        except (OSError, ValueError, EOFError):
            return None
        if index.dtype != _INDEX_DTYPE or index.shape != (count,):
            return None
        sizes = index["height"].astype(np.int64) * index["width"] * 3
        if stored != sizes.sum():
            return None
        # A plain array on the map: slices of np.memmap cost several microseconds each.
        pixels = np.asarray(np.memmap(pixel_file, np.uint8, "r")) if stored else np.empty(0, "u1")
        return [
            pixels[offset : offset + 3 * height * width].reshape(height, width, 3) if height else None
            for offset, height, width in index.tolist()
        ]

    def _fill(
        self,
        name: str,
        paths: list[str],
        target: tuple[int, int] | None,
        interpolation: str,
        on_bad_image: str,
    ) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()
        index = np.zeros(len(paths), _INDEX_DTYPE)
        offset = 0
        with _atomic(self._pixel_file(name)) as file:
            for row, image in enumerate(read_all(paths, target, interpolation, on_bad_image)):
                height, width = (0, 0) if image is None else image.shape[:2]
                index[row] = offset, height, width
                if image is not None:
                    file.write(np.ascontiguousarray(image).data)
                    offset += image.size
        # The index comes last: where it is, the pixels are complete.
        with _atomic(self._index_file(name)) as file:
            np.save(file, index)

    def _remove_abandoned(self) -> None:
        """Removes what killed fills left; a fill at work has just touched its file."""
        for file in self.folder.glob("*.partial"):
            with contextlib.suppress(FileNotFoundError):  # another fill may finish and rename its file meanwhile
                if time.time() - file.stat().st_mtime > _ABANDONED_AFTER_S:
                    file.unlink()

    def _pixel_file(self, name: str) -> Path:
        return self.folder / f"{name}.pixels"

    def _index_file(self, name: str) -> Path:
        return self.folder / f"{name}.index.npy"


@contextmanager
def _atomic(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that appears under its name only once it is complete and on the disk."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
