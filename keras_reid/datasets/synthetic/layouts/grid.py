"""Synthetic people as GRID: pairs in probe and gallery, strangers in the gallery, ten partitions in a .mat file."""

from pathlib import Path

import numpy as np

from keras_reid.datasets._trials import NUM_TRIALS
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import everyone, new_folder, one_per_camera, put

__all__ = ["write"]


def write(root: Path, people: ReIDDataset, partitions: bool = True) -> None:
    """Writes `underground_reid/probe/0001_1_00001.jpeg`, `gallery`, and `features_and_partitions.mat`.

    A third of the persons are strangers: one image each in the gallery, under person 0.

    Args:
        root: Where `underground_reid` is made.
        people: Whom to write.
        partitions: Whether to write the .mat file, in the structure of the original (without its features).

    Raises:
        ValueError: Fewer than three persons are before two cameras, or `underground_reid` is there already.
    """
    table, pairs = everyone(people), one_per_camera("grid", people, at_least=3)
    base = new_folder(root / "underground_reid")
    paired = len(pairs) - len(pairs) // 3
    for camera, folder in enumerate(("probe", "gallery")):
        (base / folder).mkdir()
        for person, rows in enumerate(pairs[:paired], start=1):
            name = f"{person:04d}_{table.camera_id[rows[camera]] + 1}_{person:05d}.jpeg"
            put(table.path[rows[camera]], base / folder / name)
    for stranger, rows in enumerate(pairs[paired:], start=1):
        name = f"0000_{table.camera_id[rows[1]] + 1}_{stranger:05d}.jpeg"
        put(table.path[rows[1]], base / "gallery" / name)
    if partitions:
        _write_partitions(base / "features_and_partitions.mat", paired)


def _write_partitions(file: Path, persons: int) -> None:
    from scipy.io import savemat

    cells = np.empty((1, NUM_TRIALS), dtype=object)
    for trial in range(NUM_TRIALS):
        train = np.sort(np.random.default_rng((trial, persons)).permutation(persons)[: persons // 2] + 1)
        cells[0, trial] = {"probeImIdx": 2 * train, "galleryImIdx": 2 * train - 1, "personIdx": train}
    savemat(file, {"trainIdxAll": cells})
