"""Market-1501: 1,501 persons under 6 cameras."""

import os
import re
from pathlib import Path

import numpy as np

from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._market_layout import FOLDERS, read_rows
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset, require_matches
from keras_reid.datasets.table import ReIDTable
from keras_reid.datasets.times import market1501_times

__all__ = ["PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"train": (751, 12936), "query": (750, 3368), "gallery": (751, 15913)}
"""Persons and images of each split; the gallery without junk, its distractors as one person 0."""

_NESTED = (
    "Market-1501-v15.09.15",
    "market1501",
    "Market-1501",
    "Market1501",
    "market1501/Market-1501-v15.09.15",
    "Market-1501-v15.09.15/Market-1501-v15.09.15",
)
_NAME = re.compile(r"(?P<person>-1|\d+)_c(?P<camera>[1-9]\d*)s(?P<session>[1-9]\d*)_(?P<frame>\d+)")
_MAYBE_NAMED = re.compile(r"((?P<person>-1|\d+)_c(?P<camera>[1-9]\d*))?")  # fits every name


def load(
    root: str | os.PathLike[str],
    corrected_times: bool = False,
    distractors: str | os.PathLike[str] | None = None,
) -> ReIDDataset:
    """Reads Market-1501, or any data in its layout, from a folder.

    Junk images (person -1) are dropped from every split; distractors (person 0) stay in the
    gallery. Cameras are numbered from 0. Identities keep their numbers. If every split holds at
    least half as many images as published, the folder is taken for the real data set and a
    difference from `PUBLISHED_COUNTS` is said in the notes; smaller trees (synthetic people,
    excerpts) are not compared.

    Args:
        root: The folder that holds `bounding_box_train`, `query` and `bounding_box_test`, or a
            folder above it: `root/Market-1501-v15.09.15`, `root/market1501` and the like are found.
        corrected_times: Whether `time_s` follows the plain cumulative time line in place of the
            recurrence of the QAConv authors; see `market1501_times`.
        distractors: A folder of further wrong answers, e.g. the unpacked `distractors_500k.zip`
            (Market-1501+500k); sub-folders are searched too. Every image in it goes to the gallery
            as person 0, without a time, and without a camera unless its name tells (`0000_c1...`).

    Returns:
        The data set, with protocol `"market1501"`.

    Raises:
        ValueError: The folders are not there, a file name does not parse, a person is in train and
            test, no query has a match from another camera, or the distractors hold a person.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import market1501
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("bounding_box_train/0002_c1s1_000451_03.jpg",
        ...              "query/0001_c1s1_001051_00.jpg",
        ...              "bounding_box_test/0001_c2s1_000301_00.jpg"):
        ...     (root / name).parent.mkdir()
        ...     (root / name).touch()
        >>> market1501.load(root).query.time_s
        array([42.04])

    Reference:
        L. Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015.
    """
    base = find_root("Market-1501", root, tuple(FOLDERS.values()), _NESTED)
    rows = read_rows(base, _NAME, "names like 0002_c1s1_000451_03.jpg")
    session, frame = rows.numbers["session"], rows.numbers["frame"]
    tables = rows.tables(market1501_times(rows.camera_id, session, frame, corrected_times))
    notes = compare_with_published("Market-1501", PUBLISHED_COUNTS, tables)
    if distractors is not None:
        more = _read_distractors(Path(distractors).expanduser())
        tables["gallery"] = ReIDTable.concatenate([tables["gallery"], more])
        notes += (f"{len(more)} of the {len(tables['gallery'])} gallery images are added distractors (person 0).",)
    dataset = ReIDDataset(
        name="market1501", train=tables["train"], query=tables["query"], gallery=tables["gallery"], notes=notes
    )
    require_matches(dataset, "Market-1501's names give the camera as _c1, _c2, ...")
    return dataset


def _read_distractors(folder: Path) -> ReIDTable:
    files = list_images(folder, recursive=True)
    facts = parse_names(files, _MAYBE_NAMED, folder, "any name")
    persons = [file for file, fact in zip(files, facts, strict=True) if int(fact["person"] or 0) > 0]
    if persons:
        # As person 0 they would be wrong answers to queries of themselves.
        raise ValueError(
            f"`distractors` must be a folder of images of nobody in the test. Received: {str(folder)!r}, where "
            f"{len(persons)} names say a person: {persons[0]}. Pass the folder of the distractors alone."
        )
    camera = np.array([int(fact["camera"] or 0) for fact in facts]) - 1
    return ReIDTable.from_columns([folder / file for file in files], np.zeros(len(files), np.int64), camera)
