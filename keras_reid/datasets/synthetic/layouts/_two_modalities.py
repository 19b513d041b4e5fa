"""What the two visible-thermal layouts ask of a data set."""

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["renumber", "split_people"]


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
