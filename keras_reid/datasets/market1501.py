"""Market-1501: 1,501 persons under 6 cameras."""

import os
import re

import numpy as np

from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset, require_matches
from keras_reid.datasets.table import ReIDTable
from keras_reid.datasets.times import market1501_times

__all__ = ["PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"train": (751, 12936), "query": (750, 3368), "gallery": (751, 15913)}
"""Persons and images of each split; the gallery without junk, its distractors as one person 0."""

_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
_NESTED = (
    "Market-1501-v15.09.15",
    "market1501",
    "Market-1501",
    "Market1501",
    "market1501/Market-1501-v15.09.15",
    "Market-1501-v15.09.15/Market-1501-v15.09.15",
)
_NAME = re.compile(r"(?P<person>-1|\d+)_c(?P<camera>[1-9]\d*)s(?P<session>[1-9]\d*)_(?P<frame>\d+)")
_JUNK = -1


def load(root: str | os.PathLike[str], corrected_times: bool = False) -> ReIDDataset:
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

    Returns:
        The data set, with protocol `"market1501"`.

    Raises:
        ValueError: The folders are not there, a file name does not parse, a person is in train and
            test, or no query has a match from another camera.

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
    base = find_root("Market-1501", root, tuple(_FOLDERS.values()), _NESTED)
    paths: list[str] = []
    facts: list[dict[str, str | None]] = []
    splits: list[str] = []
    for split, name in _FOLDERS.items():
        folder = base / name
        files = list_images(folder)
        facts += parse_names(files, _NAME, folder, "names like 0002_c1s1_000451_03.jpg")
        paths += [str(folder / file) for file in files]
        splits += [split] * len(files)

    person, camera, session, frame = (
        np.array([fact[group] for fact in facts], dtype=np.int64) for group in ("person", "camera", "session", "frame")
    )
    # Junk leaves before the times are computed: the offsets depend on every image that is kept.
    keep = person != _JUNK
    camera -= 1
    table = ReIDTable.from_columns(
        path=np.array(paths, dtype=object)[keep],
        person_id=person[keep],
        camera_id=camera[keep],
        time_s=market1501_times(camera[keep], session[keep], frame[keep], corrected_times),
    )
    split_of = np.array(splits)[keep]
    tables = {split: table.where(split_of == split) for split in _FOLDERS}
    dataset = ReIDDataset(
        name="market1501",
        train=tables["train"],
        query=tables["query"],
        gallery=tables["gallery"],
        notes=compare_with_published("Market-1501", PUBLISHED_COUNTS, tables),
    )
    require_matches(dataset, "Market-1501's names give the camera as _c1, _c2, ...")
    return dataset
