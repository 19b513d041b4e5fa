"""CUHK-SYSU, cropped to persons: 11,934 persons, no cameras, for training only."""

import os
import re

from keras_reid.datasets._layout import find_form, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"train": (11934, 34574)}
"""Persons and images of the crops in use for training."""

# Form -> its folder.
_FOLDERS = {"cropped": "cropped_images", "market": "bounding_box_train"}
_NESTED = ("cuhk_sysu", "cuhksysu", "CUHK-SYSU", "cuhk-sysu", "CUHK_SYSU", "cuhksysu4reid", "CUHK-SYSU/cuhksysu4reid")
_NAMES = {
    "cropped": re.compile(r"p(?P<person>\d+)_s\d+"),
    "market": re.compile(r"(?P<person>-1|\d+)_c\d+"),
}
_EXAMPLES = {"cropped": "names like p11422_s16929_1.jpg", "market": "names like 0001_c1s1_000001_00.jpg"}
_JUNK = -1


def load(root: str | os.PathLike[str]) -> ReIDDataset:
    """Reads the person crops of CUHK-SYSU from a folder; query and gallery are empty.

    The images are from street snaps and films, so that there are scenes but no cameras: `camera_id` is -1. (Other code
    bases write camera 0, and so does the packing with Market-1501's names; it means the same.) Samplers that look for
    an identity in several cameras have nothing to find here.

    Args:
        root: The folder that holds `cropped_images` (names `p11422_s16929_1.jpg`) or `bounding_box_train` (names like
            Market-1501's), or a folder above it.

    Returns:
        The data set: a training table, the rest empty.

    Raises:
        ValueError: The folder is not there, or a file name does not parse.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import cuhk_sysu
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "cropped_images"
        >>> folder.mkdir()
        >>> (folder / "p11422_s16929_1.jpg").touch()
        >>> cuhk_sysu.load(folder.parent).train
        ReIDTable(1 image, 1 person, cameras unknown)

    Reference:
        T. Xiao et al., "Joint Detection and Identification Feature Learning for Person Search", CVPR 2017.
    """
    form, base = find_form("CUHK-SYSU", root, {form: (folder,) for form, folder in _FOLDERS.items()}, _NESTED)
    folder = base / _FOLDERS[form]
    files = list_images(folder)
    facts = parse_names(files, _NAMES[form], folder, _EXAMPLES[form])
    table = ReIDTable.from_columns([folder / file for file in files], [int(fact["person"] or 0) for fact in facts])
    train = table.where(table.person_id != _JUNK)
    nothing = ReIDTable.from_columns([], [])
    return ReIDDataset(
        name="cuhk_sysu",
        train=train,
        query=nothing,
        gallery=nothing,
        notes=compare_with_published("CUHK-SYSU", PUBLISHED_COUNTS, {"train": train}),
    )
