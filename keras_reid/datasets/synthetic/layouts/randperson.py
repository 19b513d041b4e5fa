"""Synthetic people as RandPerson: one folder, for training only."""

from pathlib import Path

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.randperson import CAMERAS_OF_SCENES
from keras_reid.datasets.synthetic.layouts._small import new_folder, put

__all__ = ["write"]


def write(root: Path, people: ReIDDataset) -> None:
    """Writes the training images as `randperson_subset/000000_s00_c00_f000264.jpg`.

    Cameras fill RandPerson's scenes in order. Frames count the images.

    Args:
        root: Where `randperson_subset` is made.
        people: Whose training table to write.

    Raises:
        ValueError: There are more cameras than RandPerson's 19, or unknown ones, or the folder is there already.
    """
    table = people.train
    places = [(scene, camera) for scene, width in enumerate(CAMERAS_OF_SCENES) for camera in range(width)]
    if not len(table) or table.camera_id.min() < 0 or table.camera_id.max() >= len(places):
        raise ValueError(
            f"The layout 'randperson' needs training images of cameras 0 to {len(places) - 1}. Received: "
            f"{np.unique(table.camera_id).tolist()} in {people.name!r}."
        )
    folder = new_folder(root / "randperson_subset")
    labels = np.unique(table.person_id, return_inverse=True)[1]
    for frame, (path, person, camera) in enumerate(zip(table.path, labels, table.camera_id, strict=True)):
        scene, number = places[camera]
        put(path, folder / f"{person:06d}_s{scene:02d}_c{number:02d}_f{frame:06d}.jpg")
