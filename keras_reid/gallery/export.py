"""A gallery as a file that anything reads."""

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_reid.gallery.columns import Column

__all__ = ["export"]

_EMPTY = {str: "", int: -1, float: np.nan, bool: False}


def export(
    path: str | os.PathLike, pages: Iterator[list[dict[str, Any]]], columns: Mapping[str, Column], dimension: int
) -> int:
    """Writes entries to a file, whole or not at all.

    Args:
        path: ``.csv`` for the columns without embeddings, ``.npz`` for both.
        pages: Entries by the columns' stored names, some at a time.
        columns: The gallery's columns.
        dimension: Length of an embedding.

    Returns:
        Number of entries.

    Raises:
        ValueError: The file has another suffix.
    """
    target = Path(path)
    write = {".csv": _write_csv, ".npz": _write_npz}.get(target.suffix.lower())
    if write is None:
        raise ValueError(f"A gallery is exported to a .npz or .csv file. Received: {str(target)!r}.")
    part = target.with_name(f".{target.name}.part")
    try:
        count = write(part, pages, columns, dimension)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return count


def _write_csv(path: Path, pages: Iterator[list[dict[str, Any]]], columns: Mapping[str, Column], dimension: int) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8") as stream:
        lines = csv.writer(stream)
        lines.writerow(columns)
        for page in pages:
            lines.writerows([row[column.stored] for column in columns.values()] for row in page)
            count += len(page)
    return count


def _write_npz(path: Path, pages: Iterator[list[dict[str, Any]]], columns: Mapping[str, Column], dimension: int) -> int:
    values: dict[str, list[Any]] = {name: [] for name in columns}
    blocks = [np.zeros((0, dimension), np.float32)]
    for page in pages:
        blocks.append(np.asarray([row["embedding"] for row in page], np.float32))
        for name, column in columns.items():
            values[name] += [row[column.stored] for row in page]
    arrays = {"embedding": np.concatenate(blocks)}
    for name, column in columns.items():
        known = np.array([value is not None for value in values[name]], bool)
        kept = [_EMPTY[column.type] if value is None else value for value in values[name]]
        # Arrays of text and numbers, so that `np.load` needs no pickle.
        arrays[name] = np.array(kept, {str: np.str_, int: np.int64, float: np.float64, bool: np.bool_}[column.type])
        if not known.all():
            arrays[f"{name}_known"] = known
    with path.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    return len(arrays["embedding"])
