"""Synthetic people to write in a layout, and the comparison of what a reader returns with what was written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from keras_reid.datasets import ReIDDataset, ReIDTable, synthetic


def few_people(root: Path) -> ReIDDataset:
    """Three people to train on and three to test on, 36 images."""
    return synthetic.load(root, train_identities=3, test_identities=3, images_per_camera=2)


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).tobytes()


def source_of(written: ReIDTable, read: ReIDTable, content: Callable[[Path], bytes] = Path.read_bytes) -> ReIDTable:
    """The rows of ``written`` in the order of ``read``, matched by what is in the files."""
    row_of = {content(Path(path)): row for row, path in enumerate(written.path)}
    assert len(row_of) == len(written), "two images are equal; the test needs others"
    return written.take([row_of[content(Path(path))] for path in read.path])


def same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two columns name the same things by perhaps different numbers."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def check_same_people(written: ReIDDataset, read: ReIDDataset) -> None:
    """Every split has the same files, and the same persons across query and gallery."""
    test = []
    for split in ("train", "query", "gallery"):
        mine, theirs = getattr(written, split), getattr(read, split)
        assert len(mine) == len(theirs)
        source = source_of(mine, theirs)
        assert source.camera_id.tolist() == theirs.camera_id.tolist()
        assert same_groups(source.person_id, theirs.person_id)
        if split != "train":
            test.append((source.person_id, theirs.person_id))
    assert same_groups(*(np.concatenate(columns) for columns in zip(*test, strict=True)))
