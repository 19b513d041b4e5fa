"""Synthetic people as i-LIDS: a few images of each person in one folder, cameras not told."""

from pathlib import Path

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import everyone, new_folder, put

__all__ = ["write"]


def write(root: Path, people: ReIDDataset, images: int = 4) -> None:
    """Writes `i-LIDS_Pedestrian/Persons/0001001.jpg` and so on.

    Args:
        root: Where `i-LIDS_Pedestrian` is made.
        people: Whom to write.
        images: At most so many images of a person, of as many cameras as possible; the original has four on average.

    Raises:
        ValueError: `images` is no positive integer, or `i-LIDS_Pedestrian` is there already.
    """
    check_positive_int("images", images)
    table = everyone(people)
    folder = new_folder(root / "i-LIDS_Pedestrian" / "Persons")
    for person, identity in enumerate(table.person_ids, start=1):
        rows = np.flatnonzero(table.person_id == identity)
        rows = rows[np.argsort(table.camera_id[rows], kind="stable")]
        chosen = rows[np.unique(np.linspace(0, len(rows) - 1, images).astype(int))]
        for number, row in enumerate(chosen, start=1):
            put(table.path[row], folder / f"{person:04d}{number:03d}.jpg")
