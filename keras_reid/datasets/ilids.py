"""i-LIDS, the persons of an airport: 119 persons, 476 images, cameras unknown."""

import os
import re

import numpy as np

from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets._trials import check_trial, training_half
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"the whole set": (119, 476)}
"""Persons and images."""

_FOLDER = "Persons"
_NESTED = (
    "i-LIDS_Pedestrian",
    "ilids/i-LIDS_Pedestrian",
    "iLIDS/i-LIDS_Pedestrian",
    "i-LIDS",
    "ilids",
    "iLIDS",
    "QMUL-iLIDS/i-LIDS_Pedestrian",
)
_NAME = re.compile(r"(?P<person>\d{4})(?P<number>\d{3})\.")


def load(root: str | os.PathLike[str], trial: int = 0) -> ReIDDataset:
    """Reads the persons of i-LIDS, or any data in its layout, from a folder.

    Half of the persons (59 of 119), drawn by `trial`, are for training with all their images. Of each of the other 60
    two images are drawn, one as the query and one for the gallery: one right answer among 60. This is the protocol as
    commonly used, with the mean over ten trials; what a trial draws is ours. A person with a single image can only be
    trained on.

    File names do not say the camera. Several code bases take the number of the image within its person for one; here
    cameras are unknown (-1) and the protocol is `"no_camera"`, which ranks the same images.

    Args:
        root: The folder that holds `Persons`, or a folder above it.
        trial: Number of the random split, 0 to 9.

    Returns:
        The data set, with protocol `"no_camera"`.

    Raises:
        ValueError: The folder is not there, a file name does not parse, fewer than two persons have two images, or
            `trial` is out of range.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import ilids
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "Persons"
        >>> folder.mkdir()
        >>> for name in ("0001001.jpg", "0001002.jpg", "0001003.jpg", "0002001.jpg", "0002002.jpg", "0002003.jpg"):
        ...     (folder / name).touch()
        >>> dataset = ilids.load(folder.parent)
        >>> len(dataset.train), len(dataset.query), len(dataset.gallery)
        (3, 1, 1)

    Reference:
        W.-S. Zheng, S. Gong and T. Xiang, "Associating Groups of People", BMVC 2009.
    """
    trial = check_trial("i-LIDS", trial)
    folder = find_root("i-LIDS", root, (_FOLDER,), _NESTED) / _FOLDER
    files = list_images(folder)
    facts = parse_names(files, _NAME, folder, "names like 0001001.jpg")
    table = ReIDTable.from_columns([folder / file for file in files], [int(fact["person"] or 0) for fact in facts])
    persons, counts = np.unique(table.person_id, return_counts=True)
    testable = persons[counts > 1]
    train = np.union1d(training_half("i-LIDS", testable, trial), persons[counts == 1])
    # A stream of its own: the persons of a trial do not depend on how many images anyone has.
    random = np.random.default_rng((trial, 1))
    tested = np.setdiff1d(persons, train)
    drawn = np.array([random.choice(np.flatnonzero(table.person_id == person), 2, replace=False) for person in tested])
    return ReIDDataset(
        name="ilids",
        train=table.where(np.isin(table.person_id, train)),
        query=table.take(drawn[:, 0]),
        gallery=table.take(drawn[:, 1]),
        protocol="no_camera",
        notes=compare_with_published("i-LIDS", PUBLISHED_COUNTS, {"the whole set": table}),
    )
