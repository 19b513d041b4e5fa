"""What the two visible-thermal layouts ask of a data set, and how its images get there."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["copy_images", "renumber", "split_people", "start_tree"]


def split_people(layout: str, people: ReIDDataset) -> tuple[ReIDTable, ReIDTable]:
    """Returns the training and the test images, if there are both modalities of every person.

    Args:
        layout: Name of the layout, for messages.
        people: The data set; its query and gallery together are the test images.

    Returns:
        Two tables.

    Raises:
        ValueError: A split is empty, or a person lacks a modality.
    """
    train, test = people.train, ReIDTable.concatenate([people.query, people.gallery])
    for part, table in (("training", train), ("test", test)):
        visible = np.unique(table.person_id[table.modality == 0])
        thermal = np.unique(table.person_id[table.modality == 1])
        lacking = np.setxor1d(visible, thermal)
        if not len(table) or lacking.size:
            raise ValueError(
                f"Layout {layout!r} needs visible and thermal images of every {part} person. Received {people.name!r} "
                f"with {len(visible)} visible and {len(thermal)} thermal persons there, {lacking.size} of whom lack a "
                "modality. `synthetic.thermal.load` draws both."
            )
    return train, test


def renumber(*tables: ReIDTable) -> list[np.ndarray]:
    """Returns the identities of each table, numbered from 1 through all of them."""
    numbers, start = [], 1
    for table in tables:
        persons, labels = np.unique(table.person_id, return_inverse=True)
        numbers.append(labels.reshape(-1) + start)
        start += len(persons)
    return numbers


def start_tree(layout: str, root: Path, folders: Sequence[str]) -> None:
    """Makes the folders of a tree.

    Args:
        layout: Name of the layout, for messages.
        root: Where.
        folders: Names of folders.

    Raises:
        ValueError: One of them is there already.
    """
    there = [folder for folder in folders if (root / folder).exists()]
    if there:
        raise ValueError(f"{str(root)!r} holds {', '.join(there)} already. Write layout {layout!r} to a new place.")
    for folder in folders:
        (root / folder).mkdir(parents=True)


def copy_images(root: Path, sources: Sequence[str], names: Sequence[str]) -> None:
    """Copies each source file to its name below ``root``."""
    for source, name in zip(sources, names, strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, root / name)
