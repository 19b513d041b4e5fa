"""Synthetic people as VIPeR: one image of each person before two cameras."""

from pathlib import Path

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import everyone, new_folder, one_per_camera, put

__all__ = ["write"]


def write(root: Path, people: ReIDDataset) -> None:
    """Writes `VIPeR/cam_a/001_0.bmp` and `VIPeR/cam_b/001_90.bmp` for every person before two cameras.

    Args:
        root: Where `VIPeR` is made.
        people: Whom to write.

    Raises:
        ValueError: Fewer than two persons are before two cameras, or `VIPeR` is there already.
    """
    table, pairs = everyone(people), one_per_camera("viper", people)
    base = new_folder(root / "VIPeR")
    for camera, (folder, angle) in enumerate((("cam_a", 0), ("cam_b", 90))):
        (base / folder).mkdir()
        for number, rows in enumerate(pairs, start=1):
            put(table.path[rows[camera]], base / folder / f"{number:03d}_{angle}.bmp")
