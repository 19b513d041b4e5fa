"""Synthetic people as PRID 2011, single shot: some before both cameras, the others before the second alone."""

from pathlib import Path

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.prid2011 import SHARED
from keras_reid.datasets.synthetic.layouts._small import everyone, new_folder, one_per_camera, put

__all__ = ["write"]


def write(root: Path, people: ReIDDataset) -> None:
    """Writes `prid_2011/single_shot/cam_a/person_0001.png` and `cam_b`, a third of the persons before camera B alone.

    Those before both cameras are numbered from 1 (at most 200), the others from 201, as in the original.

    Args:
        root: Where `prid_2011` is made.
        people: Whom to write.

    Raises:
        ValueError: Fewer than three persons are before two cameras, or `prid_2011` is there already.
    """
    table, pairs = everyone(people), one_per_camera("prid2011", people, at_least=3)
    base = new_folder(root / "prid_2011" / "single_shot")
    both = min(len(pairs) - len(pairs) // 3, SHARED)
    for camera, folder in enumerate(("cam_a", "cam_b")):
        (base / folder).mkdir()
        for number, rows in enumerate(pairs[:both], start=1):
            put(table.path[rows[camera]], base / folder / f"person_{number:04d}.png")
    for number, rows in enumerate(pairs[both:], start=SHARED + 1):
        put(table.path[rows[1]], base / "cam_b" / f"person_{number:04d}.png")
