"""Checks one column of a table and brings it to its dtype; always a copy."""

import os

import numpy as np

__all__ = ["INT32", "integer_column", "path_column", "time_column"]

INT32 = np.iinfo(np.int32)


def path_column(values: object) -> np.ndarray:
    """Returns `values` as absolute path strings (dtype object)."""
    array = np.asarray(values, dtype=object)
    _check_one_dimension("path", array)
    column = np.empty(len(array), dtype=object)
    for row, value in enumerate(array):
        if not isinstance(value, str | os.PathLike):
            raise TypeError(f"`path` must hold strings or paths. Received in row {row}: {value!r}.")
        text = os.fspath(value)
        # os.path, not pathlib: a benchmark has 100,000 rows.
        column[row] = text if os.path.isabs(text) else os.path.abspath(text)  # noqa: PTH100, PTH117
    return column


def time_column(values: object) -> np.ndarray:
    """Returns `values` as float64 seconds, NaN where unknown."""
    array = np.asarray(values)
    _check_one_dimension("time_s", array)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"`time_s` must hold seconds as numbers, NaN where unknown. Received: dtype {array.dtype}.")
    column = array.astype(np.float64)
    if np.isinf(column).any():
        row = np.flatnonzero(np.isinf(column))[0]
        raise ValueError(f"`time_s` must be finite, or NaN where unknown. Received in row {row}: {column[row]}.")
    return column


def integer_column(name: str, values: object, smallest: int, largest: int) -> np.ndarray:
    """Returns `values` as int32, each in `smallest..largest`."""
    array = np.asarray(values)
    _check_one_dimension(name, array)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"`{name}` must hold integers. Received: dtype {array.dtype}, e.g. {array[0]!r}.")
    outside = (array < smallest) | (array > largest)
    if outside.any():
        raise ValueError(f"`{name}` must lie in {smallest}..{largest}. Received: {array[outside][0]}.")
    return array.astype(np.int32)


def _check_one_dimension(name: str, array: np.ndarray) -> None:
    if array.ndim != 1:
        raise ValueError(f"`{name}` must have one dimension. Received: shape {array.shape}.")
