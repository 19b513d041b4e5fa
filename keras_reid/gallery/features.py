"""What the matcher of a pairwise method needs of every entry, in one file that is appended to and read in place."""

import hashlib
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

__all__ = ["FeatureFile"]

_LIVE = 0x52654964  # "ReId"
_ZEROS = 1 << 20


class FeatureFile:
    """Features of fixed shape in float16, one record each: a mark, a checksum, the entry's key, the numbers.

    Nothing in the file is found without its row number, and the row number stands in the entry. So an entry is whole or
    not there: rows are appended and synced to the disk first, the entry that names them is written afterwards. What a
    crash leaves is rows that no entry names, and at the end a piece of a row, which the next row is written over.

    One program may append while others read the same file on a shared disk: rows are counted when they are asked for,
    and a file that is only read need not be writable.

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
        >>> file.erase(rows[:1], ["a"])
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
        if not self.path.exists() or self.path.stat().st_size < self._start:  # new, or its making was cut short
            with self.path.open("r+b" if self.path.exists() else "xb") as stream:
                stream.write(title.ljust(self._start, b"\0"))
                _sync(stream)
        self._file: BinaryIO = self.path.open("rb")
        if self._file.read(len(title)) != title:
            self._file.close()
            raise ValueError(f"{self.path} holds features of another shape than {self.shape}, or is no such file.")
        self._mapped: np.ndarray | None = None

    def __len__(self) -> int:
        """Rows, those of erased entries among them."""
        return (os.fstat(self._file.fileno()).st_size - self._start) // self._record.itemsize

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._start + len(self) * self._record.itemsize

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
        first, stream = len(self), self._writable()
        stream.seek(self._start + first * self._record.itemsize)
        stream.write(records.tobytes())
        _sync(stream)
        return np.arange(first, first + len(keys))

    def read(self, rows: Sequence[int] | np.ndarray, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Reads rows, if they are still whole and of these entries.

        Args:
            rows: Row numbers.
            keys: The entries' keys.

        Returns:
            ``[N]`` booleans that say which are there, and ``[M, *shape]`` float16 features of those M.
        """
        rows = np.asarray(rows, np.int64)
        found, records = self._records(rows)
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
        within, records = self._records(rows)
        within[within] = records["mark"] == 0
        return within

    def erase(self, rows: Sequence[int] | np.ndarray, keys: Sequence[str]) -> None:
        """Writes zeros over the rows of entries and waits until the disk has them.

        Args:
            rows: Row numbers.
            keys: The entries' keys; a row of another entry is left alone, and so is one outside of the file.
        """
        rows = np.asarray(rows, np.int64)
        found, records = self._records(rows)
        owners = [key for key, there in zip(keys, found, strict=True) if there]
        for row, record, key in zip(rows[found], records, owners, strict=True):
            # A row whose erasing was cut short has lost its mark and its owner already; no row is used twice.
            if record["mark"] == 0 or record["key"].tobytes() == _digest(key):
                stream = self._writable()
                stream.seek(self._start + int(row) * self._record.itemsize)
                left = self._record.itemsize
                while left:
                    left -= stream.write(bytes(min(left, _ZEROS)))
        if self._file.writable():
            _sync(self._file)

    def close(self) -> None:
        """Closes the file."""
        self._mapped = None
        self._file.close()

    def remove(self) -> None:
        """Closes the file and takes it off the disk."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _writable(self) -> BinaryIO:
        """The file, opened anew for the first change: who only reads needs no permission to write."""
        if not self._file.writable():
            stream = self.path.open("r+b")
            self._file.close()
            self._file = stream
        return self._file

    def _records(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which rows are within the file, and the records of those."""
        within = (rows >= 0) & (rows < len(self))
        if not within.any():
            return within, np.zeros(0, self._record)
        wanted = rows[within]
        if self._mapped is None or wanted.max() >= len(self._mapped):
            self._mapped = np.memmap(self.path, self._record, "r", offset=self._start, shape=(len(self),))
        return within, self._mapped[wanted]


def _sync(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _is_whole(record: np.void, key: str) -> bool:
    marked = record["mark"] == _LIVE and record["key"].tobytes() == _digest(key)
    return bool(marked and record["checksum"] == _checksum(record))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:16]


def _checksum(record: np.void) -> int:
    return zlib.crc32(record["key"].tobytes() + record["values"].tobytes())
