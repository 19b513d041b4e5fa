"""What the matcher of a pairwise method needs of every entry, in one file that is appended to and read in place."""

import hashlib
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

__all__ = ["FeatureFile"]

_LIVE = 0x52654964  # "ReId"
_ZEROS = 1 << 20


class FeatureFile:
    """Features of fixed shape in float16, one record each: a mark, a checksum, the entry's key, the numbers.

    Nothing in the file is found without its row number, and the row number stands in the entry. So an entry is whole or
    not there: rows are appended and synced to the disk first, the entry that names them is written afterwards. What a
    crash leaves is rows that no entry names, and at the end a piece of a row, which the next opening cuts off.

    Args:
        path: The file; made if it is not there.
        shape: Shape of one entry's features.

    Raises:
        ValueError: The file was made for another shape.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from keras_reid.gallery.features import FeatureFile
        >>> file = FeatureFile(pathlib.Path(tempfile.mkdtemp()) / "maps.bin", (4, 2, 8))
        >>> rows = file.append(["a", "b"], np.ones((2, 4, 2, 8)))
        >>> file.read(rows, ["a", "b"])[1].shape
        (2, 4, 2, 8)
        >>> file.erase(rows[:1])
        >>> file.read(rows, ["a", "b"])[0]
        array([False,  True])
        >>> file.close()
    """

    def __init__(self, path: str | os.PathLike, shape: Sequence[int]):
        self.path, self.shape = Path(path), tuple(shape)
        self._record = np.dtype([("mark", "<u4"), ("checksum", "<u4"), ("key", "V16"), ("values", "<f2", self.shape)])
        title = f"keras_reid features 1 {self.shape}\n".encode()
        self._start = 4096  # whole pages, so that the records can be mapped
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("r+b" if self.path.exists() else "w+b")
        found = self._file.read(len(title))
        size = self.path.stat().st_size
        if size < self._start:  # new, or its making was cut short
            self._file.seek(0)
            self._file.write(title.ljust(self._start, b"\0"))
            size = self._start
        elif found != title:
            self._file.close()
            raise ValueError(f"{self.path} holds features of another shape than {self.shape}, or is no such file.")
        self._rows = (size - self._start) // self._record.itemsize
        self._file.truncate(self._start + self._rows * self._record.itemsize)
        self._sync()
        self._mapped: np.ndarray | None = None

    def __len__(self) -> int:
        """Rows, those of erased entries among them."""
        return self._rows

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._start + self._rows * self._record.itemsize

    def append(self, keys: Sequence[str], features: np.ndarray) -> np.ndarray:
        """Adds rows and waits until the disk has them.

        Args:
            keys: The entries' keys.
            features: ``[N, *shape]``.

        Returns:
            ``[N]`` row numbers.

        Raises:
            ValueError: The features have another shape, or numbers that float16 does not hold.
        """
        features = np.asarray(features)
        if features.shape != (len(keys), *self.shape):
            raise ValueError(f"Features must have the shape {(len(keys), *self.shape)}. Received: {features.shape}.")
        records = np.zeros(len(keys), self._record)
        with np.errstate(over="ignore"):  # said below, in a sentence
            records["values"] = features
        if not np.isfinite(records["values"]).all():
            raise ValueError("Features must be finite, and below 65504 as float16 is. Received: NaN or larger ones.")
        records["mark"] = _LIVE
        for record, key in zip(records, keys, strict=True):
            record["key"] = _digest(key)
            record["checksum"] = _checksum(record)
        self._file.seek(self._start + self._rows * self._record.itemsize)
        self._file.write(records.tobytes())
        self._sync()
        rows = np.arange(self._rows, self._rows + len(keys))
        self._rows += len(keys)
        return rows

    def read(self, rows: Sequence[int] | np.ndarray, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Reads rows, if they are still whole and of these entries.

        Args:
            rows: Row numbers.
            keys: The entries' keys.

        Returns:
            ``[N]`` booleans that say which are there, and ``[M, *shape]`` float16 features of those M.
        """
        rows = np.asarray(rows, np.int64)
        found = (rows >= 0) & (rows < self._rows)
        records = self._map()[rows[found]] if found.any() else np.zeros(0, self._record)
        keys = [key for key, there in zip(keys, found, strict=True) if there]
        whole = [_is_whole(record, key) for record, key in zip(records, keys, strict=True)]
        found[found] = whole
        return found, records["values"][whole]

    def erased(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Says which rows were erased.

        Args:
            rows: Row numbers.

        Returns:
            ``[N]`` booleans.
        """
        rows = np.asarray(rows, np.int64)
        within = (rows >= 0) & (rows < self._rows)
        within[within] = self._map()["mark"][rows[within]] == 0 if within.any() else False
        return within

    def erase(self, rows: Sequence[int] | np.ndarray) -> None:
        """Writes zeros over rows and waits until the disk has them.

        Args:
            rows: Row numbers; those outside of the file are left alone.
        """
        for row in rows:
            if 0 <= row < self._rows:
                self._file.seek(self._start + int(row) * self._record.itemsize)
                left = self._record.itemsize
                while left:
                    left -= self._file.write(bytes(min(left, _ZEROS)))
        self._sync()

    def close(self) -> None:
        """Closes the file."""
        self._mapped = None
        self._file.close()

    def _map(self) -> np.ndarray:
        if self._mapped is None or len(self._mapped) < self._rows:
            self._mapped = np.memmap(self.path, self._record, "r", offset=self._start, shape=(self._rows,))
        return self._mapped

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


def _is_whole(record: np.void, key: str) -> bool:
    marked = record["mark"] == _LIVE and record["key"].tobytes() == _digest(key)
    return bool(marked and record["checksum"] == _checksum(record))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:16]


def _checksum(record: np.void) -> int:
    return zlib.crc32(record["key"].tobytes() + record["values"].tobytes())
