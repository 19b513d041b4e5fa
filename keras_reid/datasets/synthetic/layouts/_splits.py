"""What the writers of the large layouts share: the three splits of a data set, with cameras that fit."""

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["splits"]


def splits(layout: str, people: ReIDDataset, cameras: int) -> dict[str, ReIDTable]:
    """Returns train, query and gallery.

    Args:
        layout: Name of the layout, for messages.
        people: Whom to write.
        cameras: How many cameras the layout has names for.

    Raises:
        ValueError: A split is empty, or a camera is unknown or has no name in the layout.
    """
    tables = {"train": people.train, "query": people.query, "gallery": people.gallery}
    empty = [split for split, table in tables.items() if not len(table)]
    if empty:
        raise ValueError(f"The layout {layout!r} needs three splits. Received: {people.name!r} without {empty}.")
    found = np.unique(np.concatenate([table.camera_id for table in tables.values()]))
    if found[0] < 0 or found[-1] >= cameras:
        raise ValueError(
            f"The layout {layout!r} needs images of cameras 0 to {cameras - 1}. Received: {found.tolist()} in "
            f"{people.name!r}."
        )
    return tables
