"""Splits one table into train, query and gallery, for data that come without a split."""

import numpy as np

from keras_reid.datasets.table import ReIDTable

__all__ = ["WITHOUT_CAMERAS", "split_by_identity"]

WITHOUT_CAMERAS = (
    "To evaluate without cameras (protocol 'no_camera'), read the data without them: "
    "columns={'camera_id': None} for a CSV file, a pattern without the group `camera` for a folder."
)
"""What to do about data in which the camera rule leaves nothing to find."""


def split_by_identity(table: ReIDTable, train_fraction: float = 0.5, seed: int = 0) -> dict[str, ReIDTable]:
    """Splits a table so that no person is in train and test, and every query has a match.

    A person can be tested if a second camera saw it, or, in a table without cameras, if it has two
    images. Of these persons a share of `train_fraction`, drawn by `seed`, goes to training, and so
    do all the others. Of each test person one image per camera becomes a query, where the camera
    has two images of it or more; the rest is the gallery. (If every camera has a single image of
    the person, one of them is the query.) The split is our choice; it follows the shape of
    Market-1501.

    Args:
        table: All images.
        train_fraction: Share of the testable persons to train on, between 0 and 1.
        seed: Draws the persons and the query images. The split depends on the table's rows and
            this number alone.

    Returns:
        The tables `train`, `query` and `gallery`, each in the order of `table`.

    Raises:
        ValueError: `train_fraction` is not between 0 and 1, there are fewer than two persons, or
            none can be tested.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.datasets.split import split_by_identity
        >>> paths = [f"/{row}.jpg" for row in range(8)]
        >>> table = ReIDTable.from_columns(paths, [1, 1, 1, 1, 2, 2, 2, 2], [0, 0, 1, 1] * 2)
        >>> [len(part) for part in split_by_identity(table).values()]
        [4, 2, 2]
    """
    if not 0 < train_fraction < 1:
        raise ValueError(f"`train_fraction` must lie between 0 and 1. Received: {train_fraction!r}.")
    if table.num_persons < 2:
        raise ValueError(f"A split needs two persons at least, one to train on and one to test. Received: {table!r}.")
    random = np.random.default_rng(seed)
    testable = random.permutation(_testable_persons(table))
    wanted = round((1 - train_fraction) * len(testable))
    most = len(testable) - (len(testable) == table.num_persons)  # someone is left to train on
    tested = testable[: min(max(wanted, 1), most)]

    is_query = np.zeros(len(table), dtype=bool)
    for person in np.sort(tested):
        is_query[_draw_queries(table, person, random)] = True
    is_test = np.isin(table.person_id, tested)
    return {
        "train": table.where(~is_test),
        "query": table.where(is_query),
        "gallery": table.where(is_test & ~is_query),
    }


def _testable_persons(table: ReIDTable) -> np.ndarray:
    """Returns the persons that two cameras saw (without cameras: that have two images)."""
    persons = table.person_ids
    if table.num_cameras:
        pairs = np.unique(np.stack([table.person_id, table.camera_id]), axis=1)
        counts = np.searchsorted(pairs[0], persons, "right") - np.searchsorted(pairs[0], persons)
        if not (counts > 1).any():
            raise ValueError(
                f"No person is seen by two cameras ({table!r}), so that no query would have a "
                "match: the protocol ignores matches of the query's own camera. "
                f"{WITHOUT_CAMERAS}"
            )
    else:
        counts = np.unique(table.person_id, return_counts=True)[1]
        if not (counts > 1).any():
            raise ValueError(f"No person has two images ({table!r}), so that none can be found.")
    return persons[counts > 1]


def _draw_queries(table: ReIDTable, person: int, random: np.random.Generator) -> list[int]:
    """Returns the query rows of one person, so that each has a match among the rows left."""
    own = np.flatnonzero(table.person_id == person)
    groups = [own[table.camera_id[own] == camera] for camera in np.unique(table.camera_id[own])]
    # A camera's only image stays in the gallery: it may be the only match of another camera's.
    large = [group for group in groups if len(group) > 1] or [own]
    return [int(random.choice(group)) for group in large]
