"""What the writers of the small layouts share: who is in, which image stands for a person, how it is written."""

from pathlib import Path

import numpy as np
from PIL import Image

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["everyone", "new_folder", "one_per_camera", "put"]


def everyone(people: ReIDDataset) -> ReIDTable:
    """Returns all images of persons: every split, without distractors (0) and junk (-1)."""
    table = ReIDTable.concatenate([people.train, people.query, people.gallery])
    return table.where(table.person_id > 0)


def one_per_camera(name: str, people: ReIDDataset, at_least: int = 2) -> list[tuple[int, int]]:
    """Returns, for every person before two cameras, a row of `everyone` of the first camera and of the second.

    Args:
        name: The layout, for the message.
        people: Whom to write.
        at_least: How many persons the layout needs.

    Returns:
        Pairs of rows, in the order of the persons.

    Raises:
        ValueError: Fewer persons are before two cameras.
    """
    table = everyone(people)
    pairs = []
    for person in table.person_ids:
        rows = np.flatnonzero(table.person_id == person)
        cameras, first = np.unique(table.camera_id[rows], return_index=True)
        if len(cameras) > 1:
            pairs.append((int(rows[first[0]]), int(rows[first[1]])))
    if len(pairs) < at_least:
        raise ValueError(
            f"The layout {name!r} needs {at_least} persons before two cameras. Received: {len(pairs)} in "
            f"{people.name!r}. Draw more people."
        )
    return pairs


def new_folder(folder: Path) -> Path:
    """Makes a folder.

    Raises:
        ValueError: It is there already: two trees would mix.
    """
    if folder.exists():
        raise ValueError(f"{str(folder)!r} is there already. Give a `root` that holds no such tree yet.")
    folder.mkdir(parents=True)
    return folder


def put(source: str, target: Path) -> None:
    """Writes an image under another name; in the format that the name says, if it is another one."""
    if Path(source).suffix.lower() == target.suffix.lower():
        target.write_bytes(Path(source).read_bytes())
        return
    with Image.open(source) as image:
        image.convert("RGB").save(target)
