"""From images to entries: which images make one, what it is called, what is known about it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.gallery.columns import Column

__all__ = ["Enrolment", "batches", "column_values", "entry_key", "grouped", "merged", "unit"]


@dataclass(frozen=True)
class Enrolment:
    """What an enrolment did.

    Attributes:
        images: Images it was given.
        entries: Entries it wrote.
        known: Entries it left alone because they were there (`skip_known`).
        unreadable: Names of the images that could not be read.

    Example:
        >>> from keras_reid.gallery import Enrolment
        >>> print(Enrolment(images=12, entries=3))
        3 entries of 12 images
    """

    images: int
    entries: int
    known: int = 0
    unreadable: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.entries} {'entry' if self.entries == 1 else 'entries'} of {self.images} images"]
        parts += [f"{self.known} already there"] * bool(self.known)
        parts += [f"{len(self.unreadable)} unreadable, the first is {name}" for name in self.unreadable[:1]]
        return ", ".join(parts)


def column_values(column: Column, given: Any, count: int) -> list[Any]:
    """Returns a column's values as they are kept.

    Args:
        column: The column.
        given: One value for all, or one for each image; ``None`` for unknown.
        count: Number of images.

    Returns:
        ``count`` values.

    Raises:
        ValueError: There is another number of values, or one cannot be kept.
        TypeError: One has another type.
    """
    single = given is None or isinstance(given, str) or not hasattr(given, "__len__")
    values = [given] * count if single else list(given)
    if len(values) != count:
        raise ValueError(
            f"`{column.name}` needs one value, or one for each of {count} images. Received: {len(values)}."
        )
    return [column.value(value) for value in values]


def grouped(cameras: Sequence[int | None], tracklets: Sequence[int | None], pool: bool) -> list[np.ndarray]:
    """Says which images become one entry.

    Args:
        cameras: ``[N]`` cameras.
        tracklets: ``[N]`` tracklets; ``None`` for an image that belongs to none.
        pool: Whether the images of a tracklet are pooled.

    Returns:
        Row numbers of each entry, by the first image of each.
    """
    found: dict[Any, list[int]] = {}
    for row, (camera, tracklet) in enumerate(zip(cameras, tracklets, strict=True)):
        alone = tracklet is None or not pool
        found.setdefault(row if alone else (camera, tracklet), []).append(row)
    return [np.asarray(rows) for rows in found.values()]


def batches(groups: list[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    """Puts entries together until they have ``size`` images; an entry is never divided.

    Args:
        groups: Row numbers of each entry.
        size: Number of images.

    Yields:
        Entries that are written in one step.
    """
    batch: list[np.ndarray] = []
    for group in groups:
        batch.append(group)
        if sum(map(len, batch)) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def entry_key(contents: Sequence[str]) -> str:
    """Names an entry after what its images hold, so that enrolling them again writes over it.

    Args:
        contents: Checksums of its images, in any order.

    Returns:
        32 hexadecimal digits.
    """
    if len(contents) == 1:
        return contents[0]
    return hashlib.sha256("".join(sorted(contents)).encode()).hexdigest()[:32]


def unit(embeddings: Any) -> np.ndarray:
    """Brings embeddings to unit norm.

    Args:
        embeddings: ``[N, D]``.

    Returns:
        ``[N, D]`` float32.

    Raises:
        ValueError: One is zero, or not finite.
    """
    embeddings = np.asarray(embeddings, np.float64)
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise ValueError("Embeddings must be finite and not zero. Received: one that is NaN, infinite or zero.")
    return (embeddings / norms).astype(np.float32)


def merged(
    embeddings: np.ndarray, columns: Mapping[str, Column], values: Mapping[str, Sequence[Any]]
) -> tuple[np.ndarray, int, dict[str, Any]]:
    """Makes one entry of the images of a tracklet.

    ``e = (1/n) sum_i e_i / ||e_i||``, divided by its norm. Time is the mean of the known ones. Whatever else is known
    must be the same of all; paths differ, and the first is kept.

    Args:
        embeddings: ``[n, D]`` of unit norm.
        columns: The gallery's columns.
        values: n values by column.

    Returns:
        The embedding ``[D]``; which image is nearest to it, whose features stand for the entry in a matcher; the
        entry's values by the columns' stored names.

    Raises:
        ValueError: The images differ in something that an entry has one of.
    """
    pooled = unit(embeddings.astype(np.float64).mean(axis=0, keepdims=True))[0]
    row: dict[str, Any] = {"images": len(embeddings)}
    for name, column in columns.items():
        if name == "images":
            continue
        found = [value for value in values[name] if value is not None]
        if name == "time":
            row[column.stored] = float(np.mean(found)) if found else None
            continue
        if name != "path" and len(set(found)) > 1:
            raise ValueError(
                f"The {len(embeddings)} images of a tracklet become one entry and must agree in `{name}`. Received: "
                f"{sorted(set(found))[:3]}. Give one value for all of them, or enrol with `pool=False`."
            )
        row[column.stored] = found[0] if found else None
    return pooled, int(np.argmax(embeddings @ pooled)), row
