"""GRID (QMUL underground re-identification): 250 persons under 8 cameras, and 775 images of strangers."""

import os
import re
from pathlib import Path

import numpy as np

from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets._trials import NUM_TRIALS, check_trial, training_half
from keras_reid.datasets.dataset import ReIDDataset, require_matches
from keras_reid.datasets.table import ReIDTable

__all__ = ["PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"probe": (250, 250), "gallery": (251, 1025)}
"""Persons and images of the folders; the strangers of the gallery as one person 0."""

_FOLDERS = ("probe", "gallery")
_NESTED = ("underground_reid", "grid/underground_reid", "GRID/underground_reid", "grid", "GRID", "Grid")
_NAME = re.compile(r"(?P<person>\d+)_(?P<camera>[1-9]\d*)_")
_PARTITIONS = "features_and_partitions.mat"


def load(root: str | os.PathLike[str], trial: int = 0) -> ReIDDataset:
    """Reads GRID, or any data in its layout, from a folder.

    Half of the 250 persons are for training, both images of each. The probe images of the other 125 are the queries;
    the gallery holds their other images and the 775 of strangers (person 0): 900 images, one of them right. The ten
    partitions are those of the authors if `features_and_partitions.mat` lies beside the folders; else they are drawn by
    `trial`, and the notes say so.

    Args:
        root: The folder that holds `probe` and `gallery` (`underground_reid`), or a folder above it.
        trial: Number of the partition, 0 to 9.

    Returns:
        The data set, with protocol `"market1501"` (the two images of a person are of different cameras: nothing is
        ignored). Cameras are numbered from 0.

    Raises:
        ValueError: The folders are not there, a file name does not parse, the partitions do not fit the images, no
            query has a match from another camera, or `trial` is out of range.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import grid
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("probe/0001_1_0.jpeg", "probe/0002_1_0.jpeg", "gallery/0000_3_0.jpeg",
        ...              "gallery/0001_2_0.jpeg", "gallery/0002_5_0.jpeg"):
        ...     (root / name).parent.mkdir(exist_ok=True)
        ...     (root / name).touch()
        >>> dataset = grid.load(root)
        >>> len(dataset.train), len(dataset.query), len(dataset.gallery)
        (2, 1, 2)

    Reference:
        C. C. Loy, T. Xiang and S. Gong, "Multi-Camera Activity Correlation Analysis", CVPR 2009; partitions: C. C. Loy,
        C. Liu and S. Gong, "Person Re-Identification by Manifold Ranking", ICIP 2013.
    """
    trial = check_trial("GRID", trial)
    base = find_root("GRID", root, _FOLDERS, _NESTED)
    tables = {name: _read(base / name) for name in _FOLDERS}
    probe, gallery = tables["probe"], tables["gallery"]
    notes = compare_with_published("GRID", PUBLISHED_COUNTS, tables)
    if (base / _PARTITIONS).is_file():
        train = _published_partition(base / _PARTITIONS, trial, probe.person_ids)
    else:
        train = training_half("GRID", probe.person_ids, trial)
        notes += (f"{_PARTITIONS} is not there: the partition was drawn by us, not by the authors.",)
    trained = [table.where(np.isin(table.person_id, train)) for table in (probe, gallery)]
    dataset = ReIDDataset(
        name="grid",
        train=ReIDTable.concatenate(trained),
        query=probe.where(~np.isin(probe.person_id, train)),
        gallery=gallery.where(~np.isin(gallery.person_id, train)),
        notes=notes,
    )
    require_matches(dataset, "GRID's names give the camera as the second number.")
    return dataset


def _read(folder: Path) -> ReIDTable:
    files = list_images(folder)
    facts = parse_names(files, _NAME, folder, "names like 0001_1_25004_107_32_106_221.jpeg")
    persons, cameras = ([int(fact[group] or 0) for fact in facts] for group in ("person", "camera"))
    return ReIDTable.from_columns([folder / file for file in files], persons, np.array(cameras) - 1)


def _published_partition(file: Path, trial: int, persons: np.ndarray) -> np.ndarray:
    """The training persons of a trial: the third field of the trial's cell of `trainIdxAll`."""
    from scipy.io import loadmat

    cells = np.ravel(loadmat(file).get("trainIdxAll", ()))
    if len(cells) != NUM_TRIALS:
        raise ValueError(
            f"{str(file)!r} must hold `trainIdxAll`, a cell for each of {NUM_TRIALS} partitions. Received: "
            f"{len(cells)}. Take the file of the download, or move it away: the partitions are then drawn."
        )
    train = np.unique(np.ravel(cells[trial])[0][2])
    unknown = np.setdiff1d(train, persons)
    if len(unknown) or not 0 < len(train) < len(persons):
        raise ValueError(
            f"Partition {trial} in {str(file)!r} must train on some of the {len(persons)} persons of the probe folder. "
            f"Received: {len(train)} persons, {len(unknown)} of them without a probe image."
        )
    return train
