"""From row numbers to a batch of uint8 images and labels, in numpy."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.transforms import Transform, apply

__all__ = ["COLUMNS", "BatchLoader"]

COLUMNS = ("person_id", "camera_id", "modality", "domain", "index")
"""The integer entries of a batch, in the order in which the loader returns them."""

# Streams of random numbers of one batch.
_IMAGE, _PARTNER, _CHOICE = range(3)


class BatchLoader:
    """Loads, transforms and labels the rows of a batch; no state changes from call to call.

    Image j of batch k of epoch e gets a seed made from (seed, e, k, j), so that the bytes of a
    batch depend on nothing that came before it.

    Args:
        table: The rows that are used.
        labels: What `person_id` of the batch shall be, `[N]`.
        index: What `index` of the batch shall be, `[N]`.
        load: Row number -> uint8 `[H, W, 3]`, all of one size.
        image_size: Height and width.
        transforms: Callables `(image, seed) -> image`.
        seed: The run's seed.
        partner: Whether to load another image of the same identity for each image too.
    """

    def __init__(
        self,
        table: ReIDTable,
        labels: np.ndarray,
        index: np.ndarray,
        load: Callable[[int], np.ndarray],
        image_size: tuple[int, int],
        transforms: Sequence[Transform] = (),
        seed: int = 0,
        partner: bool = False,
    ) -> None:
        columns = (labels, table.camera_id, table.modality, table.domain, index)
        self._columns = [np.asarray(column, np.int32) for column in columns]
        self._load = load
        self._image_size = tuple(image_size)
        self._transforms = tuple(transforms)
        self._seed = seed
        self._partner = partner
        if partner:
            # Rows grouped by identity, and where each row and its group lie in that order.
            _, groups, self._count = np.unique(labels, return_inverse=True, return_counts=True)
            self._group, self._order = groups, np.argsort(groups, kind="stable")
            self._start = np.cumsum(self._count) - self._count
            self._place = np.argsort(self._order, kind="stable")

    def __call__(self, rows: np.ndarray, epoch: int, step: int, places: np.ndarray | None = None) -> list[np.ndarray]:
        """Returns the images, the partner's images if there are any, and the integer columns.

        With `places` only those of the batch's rows are loaded; their bytes are those of the whole batch.
        """
        places = np.arange(len(rows)) if places is None else places
        images = [self._images(rows, places, epoch, step, _IMAGE)]
        if self._partner:
            images.append(self._images(self._partners(rows, epoch, step), places, epoch, step, _PARTNER))
        return images + [column[rows[places]] for column in self._columns]

    def _images(self, rows: np.ndarray, places: np.ndarray, epoch: int, step: int, stream: int) -> np.ndarray:
        batch = _aligned_empty((len(places), *self._image_size, 3))
        seeds = self._numbers(2 * len(rows), epoch, step, stream).reshape(-1, 2)
        for number, place in enumerate(places):
            batch[number] = apply(self._transforms, self._load(rows[place]), seeds[place])
        return batch

    def _partners(self, rows: np.ndarray, epoch: int, step: int) -> np.ndarray:
        """Chooses another row of the same identity; a row that is alone is its own partner."""
        group = self._group[rows]
        others = self._count[group] - 1
        numbers = self._numbers(len(rows), epoch, step, _CHOICE)
        shift = 1 + (numbers % np.maximum(others, 1).astype(np.uint64)).astype(np.int64)
        place = self._place[rows] - self._start[group]
        return self._order[self._start[group] + (place + shift) % self._count[group]]

    def _numbers(self, count: int, epoch: int, step: int, stream: int) -> np.ndarray:
        key = (self._seed, int(epoch), int(step), stream)
        return np.random.SeedSequence(key).generate_state(count, np.uint64)


def _aligned_empty(shape: tuple[int, ...]) -> np.ndarray:
    """Returns an uninitialised uint8 array on a 64-byte boundary: TensorFlow copies others."""
    size = math.prod(shape)
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].reshape(shape)
