"""VIPeR: 632 persons, one image under each of two cameras."""

import os
import re

import numpy as np

from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets._trials import check_trial, training_half
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"camera A": (632, 632), "camera B": (632, 632)}
"""Persons and images before each camera."""

_FOLDERS = ("cam_a", "cam_b")
_NESTED = ("VIPeR", "viper", "viper/VIPeR", "VIPeR/VIPeR")
_NAME = re.compile(r"(?P<person>\d+)_(?P<angle>\d+)\.")


def load(root: str | os.PathLike[str], trial: int = 0) -> ReIDDataset:
    """Reads VIPeR, or any data in its layout, from a folder.

    Half of the persons (316 of 632), drawn by `trial`, are for training, both images of each. Of the others the image
    of camera A is the query and that of camera B is in the gallery: one right answer per query. Ten trials, averaged,
    are the protocol as commonly used; which persons a trial draws is ours, for no list was published that all use.

    Args:
        root: The folder that holds `cam_a` and `cam_b`, or a folder above it.
        trial: Number of the random split, 0 to 9.

    Returns:
        The data set, with protocol `"market1501"` (two cameras: nothing is ignored). Camera A is 0, B is 1.

    Raises:
        ValueError: The folders are not there, a file name does not parse, a person is not before both cameras once,
            there are fewer than two persons, or `trial` is out of range.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import viper
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("cam_a/001_45.bmp", "cam_b/001_90.bmp", "cam_a/002_0.bmp", "cam_b/002_90.bmp"):
        ...     (root / name).parent.mkdir(exist_ok=True)
        ...     (root / name).touch()
        >>> dataset = viper.load(root)
        >>> len(dataset.train), len(dataset.query), len(dataset.gallery)
        (2, 1, 1)

    Reference:
        D. Gray, S. Brennan and H. Tao, "Evaluating Appearance Models for Recognition, Reacquisition, and Tracking",
        PETS 2007.
    """
    trial = check_trial("VIPeR", trial)
    base = find_root("VIPeR", root, _FOLDERS, _NESTED)
    tables = []
    for camera, name in enumerate(_FOLDERS):
        folder = base / name
        files = list_images(folder)
        facts = parse_names(files, _NAME, folder, "names like 001_45.bmp")
        persons = [int(fact["person"] or 0) for fact in facts]
        tables.append(ReIDTable.from_columns([folder / file for file in files], persons, camera))
    first, second = tables
    alone = np.setxor1d(first.person_id, second.person_id)
    twice = [int(person) for table in tables for person in table.person_ids[_counts(table) > 1]]
    if len(alone) or twice:
        raise ValueError(
            f"VIPeR has one image of each person before each camera. In {str(base)!r} the persons {alone[:5].tolist()} "
            f"are before one camera only, and {twice[:5]} have several images before one."
        )
    train = training_half("VIPeR", first.person_ids, trial)
    return ReIDDataset(
        name="viper",
        train=ReIDTable.concatenate([table.where(np.isin(table.person_id, train)) for table in tables]),
        query=first.where(~np.isin(first.person_id, train)),
        gallery=second.where(~np.isin(second.person_id, train)),
        notes=compare_with_published("VIPeR", PUBLISHED_COUNTS, {"camera A": first, "camera B": second}),
    )


def _counts(table: ReIDTable) -> np.ndarray:
    return np.unique(table.person_id, return_counts=True)[1]
