"""RandPerson: 8,000 drawn persons under 19 cameras of 11 scenes, for training only."""

import os
import re

import numpy as np

from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["CAMERAS_OF_SCENES", "PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"train": (8000, 132145)}
"""Persons and images of the subset that the authors trained on."""

CAMERAS_OF_SCENES = (2, 2, 2, 2, 1, 1, 2, 1, 1, 1, 4)
"""Cameras of each scene; the cameras are numbered through in this order."""

_FOLDER = "randperson_subset"
_NESTED = ("randperson", "RandPerson", "randperson/images", "images")
_NAME = re.compile(r"(?P<person>\d+)_s(?P<scene>\d+)_c(?P<camera>\d+)_f(?P<frame>\d+)")
# Where each scene begins on the common time line, in frames.
_FIRST_FRAMES = np.array([0, 160, 340, 490, 640, 1070, 1330, 1590, 1890, 3190, 3490]) * 1000
_FRAMES_PER_SECOND = 24


def load(root: str | os.PathLike[str]) -> ReIDDataset:
    """Reads the subset of RandPerson, or any data in its layout, from a folder.

    All images are for training; there is no query and no gallery. Cameras are numbered 0 to 18 over the scenes, and
    `time_s` puts the scenes one after another, both as in the authors' reader (that of QAConv's code). Identities keep
    their numbers; person 0 is a person like any other.

    Args:
        root: The folder that holds `randperson_subset`, or a folder above it. Sub-folders of it are read too.

    Returns:
        The data set, with protocol `"market1501"`.

    Raises:
        ValueError: The folder is not there, a file name does not parse, or a scene or camera is none of RandPerson's.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import randperson
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "randperson_subset"
        >>> folder.mkdir()
        >>> (folder / "000000_s01_c01_f000264.jpg").touch()
        >>> table = randperson.load(folder.parent).train
        >>> table.camera_id, table.time_s.round(1)
        (array([3], dtype=int32), array([6677.7]))

    Reference:
        Y. Wang, S. Liao and L. Shao, "Surpassing Real-World Source Training Data: Random 3D Characters for
        Generalizable Person Re-Identification", ACM Multimedia 2020.
    """
    folder = find_root("RandPerson", root, (_FOLDER,), _NESTED) / _FOLDER
    files = list_images(folder, recursive=True)
    facts = parse_names(files, _NAME, folder, "names like 000000_s00_c00_f000264.jpg")
    person, scene, camera, frame = (
        np.array([fact[group] for fact in facts], dtype=np.int64) for group in ("person", "scene", "camera", "frame")
    )
    widths = np.array(CAMERAS_OF_SCENES)
    known = scene < len(widths)
    known[known] = camera[known] < widths[scene[known]]
    if not known.all():
        wrong = files[int(np.argmin(known))]
        raise ValueError(
            f"RandPerson has scenes s00 to s{len(widths) - 1} with {CAMERAS_OF_SCENES} cameras each. Received: "
            f"{np.count_nonzero(~known)} of {len(files)} files of others, the first of them {wrong}."
        )
    first_cameras = np.cumsum(widths) - widths
    train = ReIDTable.from_columns(
        path=[folder / file for file in files],
        person_id=person,
        camera_id=first_cameras[scene] + camera,
        time_s=(_FIRST_FRAMES[scene] + frame) / _FRAMES_PER_SECOND,
    )
    nothing = ReIDTable.from_columns([], [])
    notes = compare_with_published("RandPerson (subset)", PUBLISHED_COUNTS, {"train": train})
    return ReIDDataset(name="randperson", train=train, query=nothing, gallery=nothing, notes=notes)
