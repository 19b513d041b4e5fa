"""MSMT17: 4,101 persons under 15 cameras, at three times of four days."""

import os
import re
from pathlib import Path

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.datasets._layout import find_form, list_images
from keras_reid.datasets._market_layout import FOLDERS, read_rows
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset, require_matches
from keras_reid.datasets.table import ReIDTable

__all__ = ["PUBLISHED_COUNTS", "load"]

_TEST = {"query": (3060, 11659), "gallery": (3060, 82161)}
PUBLISHED_COUNTS = {
    "train": {"train": (1041, 30248), **_TEST},
    "trainval": {"train": (1041, 32621), **_TEST},
    "all": {"train": (4101, 126441)},
}
"""Persons and images of each split, for each choice of training images."""

# Form -> its folders: of training and test images, or Market-1501's.
_FORMS = {
    "V1": ("train", "test"),
    "V2": ("mask_train_v2", "mask_test_v2"),
    "Market": tuple(FOLDERS.values()),
}
_NESTED = (
    "MSMT17_V1",
    "MSMT17_V2",
    "MSMT17",
    "msmt17",
    *(f"{outer}/{inner}" for outer in ("msmt17", "MSMT17") for inner in ("MSMT17_V1", "MSMT17_V2")),
)
_LISTS = ("train", "val", "query", "gallery")
_LINE = re.compile(r"(?P<path>(?:[^/\s]+/)*\d+_\d+_(?P<camera>\d+)_[^/\s]+)\s+(?P<person>\d+)")
_NAME = re.compile(r"(?P<person>-1|\d+)_c(?P<camera>[1-9]\d*)")


def load(root: str | os.PathLike[str], train: str = "train") -> ReIDDataset:
    r"""Reads MSMT17 from a folder: version 1, version 2 (faces blurred), or renamed as Market-1501.

    The lists number the persons of training and test from 0 each; test persons are moved behind the training persons,
    $p + 1 + \max p_{train}$ (person 0 of the test is 1041), so that no two share a number. The camera is the third
    field of a name, less 1. Names tell day and time of day (`0303morning`) and a number whose unit was not published:
    `time_s` is unknown.

    Args:
        root: The folder that holds `train`, `test` (version 1) or `mask_train_v2`, `mask_test_v2` (version 2) and
            the four lists `list_train.txt`, ...; or `bounding_box_train`, `query` and `bounding_box_test`; or a
            folder above it. Version 1 is taken where both lie in one folder: pass the folder of version 2 itself.
        train: What to train on: `"train"` (`list_train.txt`, 30,248 images), `"trainval"` (with `list_val.txt`,
            32,621 images of the same persons) or `"all"` (test images too; query and gallery are then empty).
            Papers differ in this; the notes say what was taken. The renamed form does not tell `"train"` from
            `"trainval"`: its training folder is read as it is.

    Returns:
        The data set, with protocol `"market1501"`.

    Raises:
        ValueError: `train` is unknown, folders, lists or images are missing, a line or name does not parse, or no
            query has a match from another camera.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import msmt17
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for split, folder, name in (("train", "train", "0000_000_01_0303morning_0008_0.jpg"),
        ...                             ("val", "train", "0000_001_02_0303noon_0011_1.jpg"),
        ...                             ("query", "test", "0000_000_15_0302morning_0005_0.jpg"),
        ...                             ("gallery", "test", "0000_001_14_0302morning_0009_0.jpg")):
        ...     (root / folder / "0000").mkdir(parents=True, exist_ok=True)
        ...     (root / folder / "0000" / name).touch()
        ...     _ = (root / f"list_{split}.txt").write_text(f"0000/{name} 0\n")
        >>> dataset = msmt17.load(root, train="trainval")
        >>> dataset.train.camera_id, dataset.query.person_id
        (array([0, 1], dtype=int32), array([1], dtype=int32))

    Reference:
        L. Wei et al., "Person Transfer GAN to Bridge Domain Gap for Person Re-Identification", CVPR 2018.
    """
    if train not in PUBLISHED_COUNTS:
        raise unknown_name("choice of `train` images of MSMT17", train, PUBLISHED_COUNTS)
    form, base = find_form("MSMT17", root, _FORMS, _NESTED)
    if form == "Market":
        lists = read_rows(base, _NAME, "names like 0000_c1_0008.jpg").tables()
    else:
        lists = _read_lists(base, *_FORMS[form])
    tables, what = _choose(_behind_training(lists), train)
    published = train
    if form == "Market" and train != "all":
        what = "train is all of bounding_box_train, which does not tell training from validation images."
        published = "train" if len(tables["train"]) <= PUBLISHED_COUNTS["train"]["train"][1] else "trainval"
    notes = compare_with_published("MSMT17", PUBLISHED_COUNTS[published], tables)
    nothing = ReIDTable.from_columns([], [])
    dataset = ReIDDataset(
        name="msmt17",
        train=tables["train"],
        query=tables.get("query", nothing),
        gallery=tables.get("gallery", nothing),
        notes=(f"Form {form}; {what}", *notes),
    )
    require_matches(dataset, "MSMT17's names give the camera as the third number, 0000_000_01_...")
    return dataset


def _read_lists(base: Path, train: str, test: str) -> dict[str, ReIDTable]:
    missing = [f"list_{split}.txt" for split in _LISTS if not (base / f"list_{split}.txt").is_file()]
    if missing:
        raise ValueError(
            f"Missing in {str(base)!r}: {', '.join(missing)}. The four lists say which image is in which split; they "
            f"come with MSMT17, beside the folders {train} and {test}."
        )
    there = {folder: frozenset(list_images(base / folder, recursive=True)) for folder in (train, test)}
    folders = {"train": train, "val": train, "query": test, "gallery": test}
    return {split: _read_list(base / f"list_{split}.txt", base / f, there[f]) for split, f in folders.items()}


def _read_list(file: Path, folder: Path, there: frozenset[str]) -> ReIDTable:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    matches = [_LINE.fullmatch(line) for line in lines]
    bad = [line for line, match in zip(lines, matches, strict=True) if match is None]
    if bad:
        raise ValueError(
            f"{len(bad)} of {len(lines)} lines of {str(file)!r} do not parse: {bad[0]!r}. Expected lines like "
            "'0000/0000_000_01_0303morning_0008_0.jpg 0'."
        )
    found = [match for match in matches if match]
    absent = [match["path"] for match in found if match["path"] not in there]
    if absent:
        raise ValueError(
            f"{len(absent)} of the {len(lines)} images of {str(file)!r} are not in {str(folder)!r}, e.g. {absent[0]}. "
            "Is the copy complete, and are the lists those of this version?"
        )
    person, camera = (
        np.array([int(match[group]) for match in found], dtype=np.int64) for group in ("person", "camera")
    )
    return ReIDTable.from_columns([folder / match["path"] for match in found], person, camera - 1)


def _behind_training(lists: dict[str, ReIDTable]) -> dict[str, ReIDTable]:
    """Moves the numbers of the test persons behind the training persons', unless they are apart already."""
    trained = np.concatenate([lists[split].person_ids for split in ("train", "val") if split in lists])
    tested = np.concatenate([lists[split].person_ids for split in ("query", "gallery")])
    if not np.intersect1d(trained, tested).size:
        return lists
    offset = 1 + int(trained.max())
    return {
        split: table.with_labels(table.person_id + offset) if split in ("query", "gallery") else table
        for split, table in lists.items()
    }


def _choose(lists: dict[str, ReIDTable], train: str) -> tuple[dict[str, ReIDTable], str]:
    """Returns the splits for a choice of training images, and a sentence that says which."""
    tables = {split: lists[split] for split in ("train", "query", "gallery")}
    val = lists.get("val", ReIDTable.from_columns([], []))
    if train == "all":
        everything = {"train": ReIDTable.concatenate(list(lists.values()))}
        return everything, "every image is for training, those of the test too."
    if train == "trainval":
        tables["train"] = ReIDTable.concatenate([tables["train"], val])
        return tables, f"train has the {len(val)} images of list_val.txt too."
    return tables, f"train is without the {len(val)} images of list_val.txt (train='trainval' adds them)."
