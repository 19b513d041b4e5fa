"""The layout that Market-1501 introduced and that others took over: three folders, persons and cameras in the names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_reid.datasets._layout import list_images, parse_names
from keras_reid.datasets.table import ReIDTable

__all__ = ["FOLDERS", "MarketRows", "read_rows"]

FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
"""Where each split lies."""

_JUNK = -1


@dataclass(frozen=True, eq=False)
class MarketRows:
    """The images of such a tree, without junk: one row per image of all splits together.

    Attributes:
        path: Image files.
        split: The split of each.
        person_id: Persons as in the names.
        camera_id: Cameras from 0.
        numbers: What else the pattern found: group -> integers.
    """

    path: np.ndarray
    split: np.ndarray
    person_id: np.ndarray
    camera_id: np.ndarray
    numbers: dict[str, np.ndarray]

    def tables(self, time_s: np.ndarray | None = None) -> dict[str, ReIDTable]:
        """Returns train, query and gallery; empty where nothing was read.

        Args:
            time_s: Seconds per row; unknown by default.
        """
        table = ReIDTable.from_columns(self.path, self.person_id, self.camera_id, time_s)
        return {split: table.where(self.split == split) for split in FOLDERS}


def read_rows(base: Path, pattern: re.Pattern[str], example: str, folders: Mapping[str, str] = FOLDERS) -> MarketRows:
    """Lists the images of every split and reads the numbers in their names.

    Junk (person -1) leaves here, before anything is computed of the other images.

    Args:
        base: The folder that holds the splits' folders.
        pattern: With the groups `person` and `camera`, and perhaps others; all of them numbers.
        example: What a name looks like, for messages.
        folders: Split -> its folder.

    Returns:
        The rows, split by split, sorted by name.

    Raises:
        ValueError: A folder holds no image, or a name does not parse.
    """
    paths: list[str] = []
    splits: list[str] = []
    facts: list[dict[str, str | None]] = []
    for split, name in folders.items():
        folder = base / name
        files = list_images(folder)
        facts += parse_names(files, pattern, folder, example)
        paths += [str(folder / file) for file in files]
        splits += [split] * len(files)
    numbers = {group: np.array([fact[group] for fact in facts], dtype=np.int64) for group in pattern.groupindex}
    keep = numbers["person"] != _JUNK
    numbers = {group: values[keep] for group, values in numbers.items()}
    return MarketRows(
        path=np.array(paths, dtype=object)[keep],
        split=np.array(splits)[keep],
        person_id=numbers.pop("person"),
        camera_id=numbers.pop("camera") - 1,
        numbers=numbers,
    )
