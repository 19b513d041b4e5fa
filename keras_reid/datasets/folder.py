"""Your own images: a CSV file, or a folder with the facts in the file names."""

import csv
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path

from keras_reid.datasets._layout import list_images, parse_names
from keras_reid.datasets._own_rows import OwnRows
from keras_reid.datasets.dataset import ReIDDataset

__all__ = ["from_csv", "from_folder"]

_SPLITS = ("train", "query", "gallery")
_COLUMNS = ("path", "person_id", "camera_id", "time_s", "modality", "tracklet", "split")
_GROUPS = ("person", "camera", "time", "frame")


def from_csv(
    path: str | os.PathLike[str],
    images: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str | None] | None = None,
    train_fraction: float = 0.5,
    seed: int = 0,
) -> ReIDDataset:
    r"""Reads your own data from a CSV file with a header line, one image a row.

    The columns are `path`, `person_id` and, each optional, `camera_id`, `time_s` (seconds),
    `modality` (0 visible, 1 thermal), `tracklet`, and `split` (train, query or gallery). Persons
    and cameras are whole numbers, which are kept, or names, which are numbered in sorted order. A
    person -1 is junk and left out.

    Without a `split` column the persons are split by `split_by_identity`. Without a `camera_id`
    column every camera is -1 and the protocol is `"no_camera"`.

    Args:
        path: The CSV file (UTF-8, comma-separated).
        images: The folder that relative image paths start from; the CSV file's own by default.
        columns: Your names of the columns, e.g. `{"person_id": "pid"}`; None ignores a column, as
            in `{"camera_id": None}`.
        train_fraction: Share of the persons to train on, if there is no `split` column.
        seed: Draws that split.

    Returns:
        The data set, named as the file.

    Raises:
        ValueError: There is no such file, a column is missing, a value cannot be read, a person is
            in train and test, or no query has a match.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import folder
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
        >>> for name in "abcd":
        ...     (file.parent / f"{name}.jpg").touch()
        >>> _ = file.write_text("path,person_id\na.jpg,1\nb.jpg,1\nc.jpg,2\nd.jpg,2\n")
        >>> folder.from_csv(file).protocol
        'no_camera'
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"Expected a CSV file. Received: {str(file)!r}, which is none.")
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        header = list(reader.fieldnames or ())
        records = list(reader)
    used = _choose_columns(file, header, columns or {})
    base = file.parent if images is None else Path(images).expanduser()

    def column(name: str) -> list[str] | None:
        own_name = used[name]
        return None if own_name is None else [(row[own_name] or "").strip() for row in records]

    rows = OwnRows(
        source=str(file),
        # Line 1 is the header.
        places=[f"line {number}" for number in range(2, len(records) + 2)],
        paths=[str(base / name) for name in column("path") or ()],
        persons=column("person_id") or [],
        cameras=column("camera_id"),
        times=column("time_s"),
        modalities=column("modality"),
        tracklets=column("tracklet"),
        splits=column("split"),
    )
    return rows.dataset(file.stem, train_fraction, seed)


def _choose_columns(file: Path, header: list[str], columns: Mapping[str, str | None]) -> dict[str, str | None]:
    """Returns our name -> the file's name, None for a column that is not used."""
    for name in columns:
        if name not in _COLUMNS:
            raise ValueError(
                f"`columns` names {name!r}, which is none of {', '.join(_COLUMNS)} (ours on the "
                "left, yours on the right)."
            )
    used: dict[str, str | None] = {}
    for name in _COLUMNS:
        theirs = columns.get(name, name if name in header else None)
        asked = name in ("path", "person_id") or theirs is not None
        if asked and theirs not in header:
            raise ValueError(
                f"{str(file)!r} has no column {theirs or name!r}. Its header: "
                f"{', '.join(header) or 'nothing'}. Name yours: columns={{{name!r}: '...'}}."
            )
        used[name] = theirs
    return used


def from_folder(
    root: str | os.PathLike[str],
    pattern: str | re.Pattern[str],
    fps: float | None = None,
    splits: Mapping[str, str] | None = None,
    train_fraction: float = 0.5,
    seed: int = 0,
) -> ReIDDataset:
    r"""Reads your own data from a folder, the facts from the file names.

    The regular expression has the named group `person` and, each optional, `camera`, and `time`
    (seconds) or `frame`. It is matched at the start of the file name; if there is a "/" in it, at
    the start of the path below the split's folder, so that folders can be persons or cameras:
    `r"(?P<person>\w+)/cam(?P<camera>\d+)_"`. Persons and cameras are whole numbers, which are kept,
    or names, which are numbered in sorted order. A person -1 is junk and left out.

    Without a group `camera` every camera is -1 and the protocol is `"no_camera"`.

    Args:
        root: The folder. With sub-folders `query`, `gallery` and, optionally, `train`, these are
            the splits; with neither, the persons are split by `split_by_identity`.
        pattern: The regular expression.
        fps: Frames a second, needed with a group `frame`: time = frame / fps.
        splits: Other names of the sub-folders, e.g. `{"train": "bounding_box_train", "query":
            "query", "gallery": "bounding_box_test"}`.
        train_fraction: Share of the persons to train on, if there are no split folders.
        seed: Draws that split.

    Returns:
        The data set, named as the folder.

    Raises:
        ValueError: A folder is missing, a file name does not parse, a person is in train and test,
            or no query has a match.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import folder
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("ann_1", "ann_2", "bob_1", "bob_2"):
        ...     (root / f"{name}.jpg").touch()
        >>> folder.from_folder(root, r"(?P<person>[a-z]+)_(?P<camera>\d)").gallery
        ReIDTable(1 image, 1 person, 1 camera)
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"`pattern` is no regular expression: {error}. Received: {pattern!r}.") from error
    _check_groups(expression, fps)
    base = Path(root).expanduser()
    folders = _split_folders(base, splits)
    facts: list[dict[str, str | None]] = []
    paths: list[str] = []
    labels: list[str] = []
    for split, folder in folders.items():
        names = list_images(folder, recursive=True)
        facts += parse_names(names, expression, folder, "names that fit `pattern`")
        paths += [str(folder / name) for name in names]
        labels += [split] * len(names)

    def column(group: str) -> list[str] | None:
        return [fact[group] or "" for fact in facts] if group in expression.groupindex else None

    frames = column("frame")
    rows = OwnRows(
        source=str(base),
        places=paths,
        paths=paths,
        persons=column("person") or [],
        cameras=column("camera"),
        times=frames or column("time"),
        fps=fps if frames and fps else 1.0,
        splits=labels if "query" in folders else None,
    )
    return rows.dataset(base.absolute().name, train_fraction, seed)


def _check_groups(expression: re.Pattern[str], fps: float | None) -> None:
    groups = set(expression.groupindex)
    if "person" not in groups or groups - set(_GROUPS) or {"time", "frame"} <= groups:
        raise ValueError(
            "`pattern` must have the named group (?P<person>...) and may have camera, and time or "
            f"frame. Received: {expression.pattern!r} with groups {sorted(groups)}."
        )
    if "frame" in groups and not (fps is not None and math.isfinite(fps) and fps > 0):
        raise ValueError(
            f"`pattern` has the group `frame`, so `fps` must say how many frames a second there are. Received: {fps!r}."
        )


def _split_folders(base: Path, splits: Mapping[str, str] | None) -> dict[str, Path]:
    """Returns split -> folder; the single key "all" if there are no splits."""
    if splits is not None and not {"query", "gallery"} <= set(splits) <= set(_SPLITS):
        raise ValueError(
            f"`splits` must name the folders of query, gallery and, optionally, train. Received: {dict(splits)!r}."
        )
    names = {split: split for split in _SPLITS} if splits is None else dict(splits)
    found = {split: base / name for split, name in names.items() if (base / name).is_dir()}
    missing = [names[split] for split in ("query", "gallery") if split not in found]
    if splits is not None:
        missing = [name for split, name in names.items() if split not in found]
    if missing and (found or splits is not None):
        raise ValueError(
            f"{str(base)!r} has no sub-folder {' and no '.join(missing)}. Expected all of "
            f"{', '.join(names.values())}, or none of them to split by person."
        )
    return found or {"all": base}
