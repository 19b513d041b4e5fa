"""Small image files and tables for the tests of this folder."""

from pathlib import Path

import numpy as np
from PIL import Image

from keras_reid.datasets import ReIDTable


def picture(seed, height=64, width=32):
    """A smooth uint8 picture that JPEG does little harm to."""
    rng = np.random.default_rng(seed)
    blobs = Image.fromarray(rng.integers(0, 256, (8, 4, 3), np.uint8))
    return np.asarray(blobs.resize((width, height), Image.Resampling.BICUBIC))


def write_table(folder, persons=(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3), sizes=((64, 32),)):
    """One PNG per entry of `persons` (their ids times ten), cameras 0 and 1 in turn."""
    folder = Path(folder)
    paths = [folder / f"{row:03d}.png" for row in range(len(persons))]
    for row, path in enumerate(paths):
        Image.fromarray(picture(row, *sizes[row % len(sizes)])).save(path)
    cameras = np.arange(len(persons)) % 2
    return ReIDTable.from_columns(paths, 10 * np.asarray(persons), cameras)


def batches(dataset):
    """A dataset as a list of dicts of numpy arrays."""
    return [{key: value.numpy() for key, value in batch.items()} for batch in dataset]


def assert_same(first, second):
    """Two lists of batches agree in every byte."""
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert set(one) == set(other)
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], err_msg=key)
