"""The frozen table that every reader returns: one row per image, one numpy column per fact."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from keras_reid.datasets._columns import INT32, integer_column, path_column, time_column

__all__ = ["ReIDTable"]

# The range of each integer column; a reader may use any number for a person.
_RANGES = {
    "person_id": (INT32.min, INT32.max),
    "camera_id": (-1, INT32.max),
    "modality": (0, 1),
    "domain": (0, INT32.max),
    "tracklet": (-1, INT32.max),
}


@dataclass(frozen=True, eq=False, repr=False)
class ReIDTable:
    """Images and what is known about each, as equally long read-only numpy columns of shape `[N]`.

    Build one with `from_columns`, which fills in what is unknown. To change a column, make a new
    table: `with_labels` for the identities, `dataclasses.replace` for any other column.

    Attributes:
        path: Absolute paths of the image files (dtype object, of `str`).
        person_id: Identities as the data set names them (int32). Not contiguous.
        camera_id: 0-based cameras (int32); -1 where unknown.
        time_s: Capture times in seconds (float64); NaN where unknown.
        modality: 0 for visible light, 1 for thermal (int32).
        domain: Number of the source in multi-source training, else 0 (int32).
        tracklet: Tracklet numbers (int32); -1 where there is none.

    Raises:
        TypeError: A column holds something else than what is said above.
        ValueError: The columns differ in length, or a value is out of range.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> table = ReIDTable.from_columns(["/a.jpg", "/b.jpg", "/c.jpg"], [7, 7, 9], [0, 1, 0])
        >>> table
        ReIDTable(3 images, 2 persons, 2 cameras)
        >>> table.where(table.person_id == 7).camera_id
        array([0, 1], dtype=int32)
    """

    path: np.ndarray
    person_id: np.ndarray
    camera_id: np.ndarray
    time_s: np.ndarray
    modality: np.ndarray
    domain: np.ndarray
    tracklet: np.ndarray

    def __post_init__(self) -> None:
        columns = {"path": path_column(self.path), "time_s": time_column(self.time_s)}
        for name, (smallest, largest) in _RANGES.items():
            columns[name] = integer_column(name, getattr(self, name), smallest, largest)
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"The columns must be equally long. Received lengths: {lengths}.")
        for name, column in columns.items():
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    @classmethod
    def from_columns(
        cls,
        path: Sequence[str | os.PathLike[str]] | np.ndarray,
        person_id: npt.ArrayLike,
        camera_id: npt.ArrayLike | None = None,
        time_s: npt.ArrayLike | None = None,
        modality: npt.ArrayLike | None = None,
        domain: npt.ArrayLike | None = None,
        tracklet: npt.ArrayLike | None = None,
    ) -> "ReIDTable":
        """Makes a table of whatever columns are known; the others say "unknown".

        Args:
            path: Image files, `[N]` strings or paths; relative ones are made absolute.
            person_id: Identities, `[N]` integers.
            camera_id: Cameras, `[N]` integers or one for all; -1 (unknown) by default.
            time_s: Times in seconds, `[N]` floats or one for all; NaN (unknown) by default.
            modality: 0 visible or 1 thermal, `[N]` or one for all; visible by default.
            domain: Source numbers, `[N]` integers or one for all; 0 by default.
            tracklet: Tracklet numbers, `[N]` integers or one for all; -1 (none) by default.

        Returns:
            The table. The columns are copies.

        Raises:
            TypeError: A column holds something else than paths, integers or times.
            ValueError: The columns differ in length, or a value is out of range.

        Example:
            >>> from keras_reid.datasets import ReIDTable
            >>> ReIDTable.from_columns(["/a.jpg"], [3]).camera_id
            array([-1], dtype=int32)
        """
        count = len(path)

        def column(values: npt.ArrayLike | None, default: float) -> np.ndarray:
            array = np.asarray(default if values is None else values)
            return np.full(count, array) if array.ndim == 0 else array

        return cls(
            path=np.asarray(path, dtype=object),
            person_id=np.asarray(person_id),
            camera_id=column(camera_id, -1),
            time_s=column(time_s, np.nan),
            modality=column(modality, 0),
            domain=column(domain, 0),
            tracklet=column(tracklet, -1),
        )

    @classmethod
    def concatenate(cls, tables: Sequence["ReIDTable"]) -> "ReIDTable":
        """Puts tables below one another; identities are not renumbered.

        Args:
            tables: One table or more.

        Returns:
            The rows of all tables, in order.

        Raises:
            ValueError: There is no table.

        Example:
            >>> from keras_reid.datasets import ReIDTable
            >>> table = ReIDTable.from_columns(["/a.jpg"], [3])
            >>> len(ReIDTable.concatenate([table, table]))
            2
        """
        if not tables:
            raise ValueError("`tables` must hold at least one table. Received an empty sequence.")
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(t, name) for t in tables]) for name in names))

    def take(self, indices: npt.ArrayLike) -> "ReIDTable":
        """Returns the rows `indices` in that order.

        Args:
            indices: Row numbers, `[M]` integers from 0 to N-1; repeats are allowed.

        Returns:
            A table of M rows.

        Raises:
            TypeError: They are no integers (for a mask, use `where`).
            ValueError: One lies outside of the table.

        Example:
            >>> from keras_reid.datasets import ReIDTable
            >>> ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [3, 4]).take([1, 1]).person_id
            array([4, 4], dtype=int32)
        """
        rows = integer_column("indices", indices, 0, len(self) - 1)
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def where(self, mask: npt.ArrayLike) -> "ReIDTable":
        """Returns the rows at which `mask` (`[N]` booleans) is true.

        Args:
            mask: One boolean per row.

        Returns:
            A table of the chosen rows.

        Raises:
            ValueError: It is no boolean array of N values.

        Example:
            >>> from keras_reid.datasets import ReIDTable
            >>> table = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [3, 4])
            >>> table.where(table.person_id > 3)
            ReIDTable(1 image, 1 person, cameras unknown)
        """
        keep = np.asarray(mask)
        if keep.dtype != np.bool_ or keep.shape != (len(self),):
            raise ValueError(
                f"`mask` must be {len(self)} booleans, one per row. Received: dtype {keep.dtype}, shape {keep.shape}."
            )
        return self.take(np.flatnonzero(keep))

    def with_labels(self, person_ids: npt.ArrayLike) -> "ReIDTable":
        """Returns the same images under other identities, e.g. pseudo labels.

        Args:
            person_ids: New identities, `[N]` integers.

        Returns:
            A table that differs in `person_id` only.

        Raises:
            TypeError: They are no integers.
            ValueError: There are not N of them.

        Example:
            >>> from keras_reid.datasets import ReIDTable
            >>> ReIDTable.from_columns(["/a.jpg"], [3]).with_labels([8]).person_id
            array([8], dtype=int32)
        """
        return replace(self, person_id=np.asarray(person_ids))

    @property
    def person_ids(self) -> np.ndarray:
        """The distinct identities, sorted."""
        return np.unique(self.person_id)

    @property
    def num_persons(self) -> int:
        """The number of distinct identities."""
        return len(self.person_ids)

    @property
    def num_cameras(self) -> int:
        """The number of distinct known cameras."""
        return len(np.unique(self.camera_id[self.camera_id >= 0]))

    def __len__(self) -> int:
        return len(self.path)

    def __reduce__(self) -> tuple[type, tuple[np.ndarray, ...]]:
        # numpy forgets the read-only flag in pickles and copies; the constructor sets it again.
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    def __repr__(self) -> str:
        cameras = _plural(self.num_cameras, "camera") if self.num_cameras else "cameras unknown"
        parts = [_plural(len(self), "image"), _plural(self.num_persons, "person"), cameras]
        thermal = int(np.count_nonzero(self.modality))
        if thermal:
            parts.append(f"{thermal} thermal")
        return f"ReIDTable({', '.join(parts)})"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
