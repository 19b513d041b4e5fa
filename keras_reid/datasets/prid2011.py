"""PRID 2011, the single-shot version: 200 persons before two cameras, and 549 whom one camera saw."""

import os
import re

import numpy as np

from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets._trials import check_trial, training_half
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["PUBLISHED_COUNTS", "SHARED", "load"]

PUBLISHED_COUNTS = {"camera A": (385, 385), "camera B": (749, 749)}
"""Persons and images before each camera."""

SHARED = 200
"""Up to this number a person is the same before both cameras; above it equal numbers are different people."""

_FOLDERS = ("cam_a", "cam_b")
_NESTED = tuple(
    f"{folder}single_shot" for folder in ("", "prid_2011/", "prid2011/", "prid/", "PRID2011/", "prid2011/prid_2011/")
)
_NAME = re.compile(r"person_(?P<person>\d+)")


def load(root: str | os.PathLike[str], trial: int = 0) -> ReIDDataset:
    """Reads the single-shot version of PRID 2011, or any data in its layout, from a folder.

    Of the 200 persons before both cameras, 100, drawn by `trial`, are for training, both images of each. The other 100
    are the queries under camera A; the gallery is camera B without the training persons: 649 images, one of them right.
    This is the protocol as commonly used, with the mean over ten trials; which persons a trial draws is ours. Persons
    above 200 are other people before A than before B; those of camera A are in no split.

    Args:
        root: The folder that holds `cam_a` and `cam_b` (`single_shot`), or a folder above it.
        trial: Number of the random split, 0 to 9.

    Returns:
        The data set, with protocol `"market1501"` (two cameras: nothing is ignored). Camera A is 0, B is 1.

    Raises:
        ValueError: The folders are not there, a file name does not parse, fewer than two persons are before both
            cameras, or `trial` is out of range.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import prid2011
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("cam_a/person_0001.png", "cam_a/person_0002.png", "cam_b/person_0001.png",
        ...              "cam_b/person_0002.png", "cam_b/person_0201.png"):
        ...     (root / name).parent.mkdir(exist_ok=True)
        ...     (root / name).touch()
        >>> dataset = prid2011.load(root)
        >>> len(dataset.train), len(dataset.query), len(dataset.gallery)
        (2, 1, 2)

    Reference:
        M. Hirzer, C. Beleznai, P. M. Roth and H. Bischof, "Person Re-Identification by Descriptive and Discriminative
        Classification", SCIA 2011.
    """
    trial = check_trial("PRID 2011", trial)
    base = find_root("PRID 2011 (single shot)", root, _FOLDERS, _NESTED)
    tables = []
    for camera, name in enumerate(_FOLDERS):
        folder = base / name
        files = list_images(folder)
        facts = parse_names(files, _NAME, folder, "names like person_0001.png")
        persons = [int(fact["person"] or 0) for fact in facts]
        tables.append(ReIDTable.from_columns([folder / file for file in files], persons, camera))
    first, second = tables
    shared = np.intersect1d(first.person_id, second.person_id)
    shared = shared[shared <= SHARED]
    train = training_half("PRID 2011", shared, trial)
    return ReIDDataset(
        name="prid2011",
        train=ReIDTable.concatenate([table.where(np.isin(table.person_id, train)) for table in tables]),
        query=first.where(np.isin(first.person_id, np.setdiff1d(shared, train))),
        gallery=second.where(~np.isin(second.person_id, train)),
        notes=compare_with_published("PRID 2011", PUBLISHED_COUNTS, {"camera A": first, "camera B": second}),
    )
