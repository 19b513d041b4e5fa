"""The layout of SYSU-MM01: a folder per camera and person, and lists of identities in ``exp``."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import new_folder, put
from keras_reid.datasets.synthetic.layouts._two_modalities import renumber, split_people
from keras_reid.datasets.synthetic.tree import write_whole
from keras_reid.datasets.table import ReIDTable

__all__ = ["CAMERAS", "FOLDERS", "image_name", "write", "write_lists"]

CAMERAS = {0: (0, 1, 3, 4), 1: (2, 5)}
"""Modality -> 0-based cameras; in folder names they count from 1."""

FOLDERS = (*(f"cam{number}" for number in range(1, 7)), "exp")


def image_name(camera: int, person: int, number: int) -> str:
    """Returns where an image lies in the tree.

    Args:
        camera: 0-based camera.
        person: Identity, from 1.
        number: Number of the image of this person before this camera, from 1.

    Returns:
        The path below the root, e.g. ``cam3/0017/0002.jpg``.
    """
    return f"cam{camera + 1}/{person:04d}/{number:04d}.jpg"


def write(root: Path, people: ReIDDataset, permutations: bool = True, seed: int = 0) -> None:
    """Writes a data set with two modalities in this layout.

    Args:
        root: Where `SYSU-MM01` is made.
        people: What to write; at most four visible and two thermal cameras.
        permutations: Whether to write ``exp/rand_perm_cam.mat``, which decides the galleries.
        seed: Seed of the permutations.

    Raises:
        ValueError: The people do not fit in, or the tree is there already.
    """
    tables = split_people("sysu_mm01", people)
    camera_of = _cameras(ReIDTable.concatenate(tables))
    base = new_folder(root / "SYSU-MM01")
    for folder in FOLDERS:
        (base / folder).mkdir()
    counts: Counter[tuple[int, int]] = Counter()
    labels = renumber(*tables)
    for table, persons in zip(tables, labels, strict=True):
        for row, person in enumerate(persons.tolist()):
            camera = camera_of[int(table.modality[row]), int(table.camera_id[row])]
            counts[camera, person] += 1
            target = base / image_name(camera, person, counts[camera, person])
            target.parent.mkdir(exist_ok=True)
            put(str(table.path[row]), target)
    train, test = (np.unique(persons).tolist() for persons in labels)
    write_lists(base, train, test, counts, permutations, seed)


def _cameras(table: ReIDTable) -> dict[tuple[int, int], int]:
    """(modality, camera of the data) -> camera of the layout."""
    found: dict[tuple[int, int], int] = {}
    for modality, places in CAMERAS.items():
        cameras = np.unique(table.camera_id[table.modality == modality]).tolist()
        if len(cameras) > len(places):
            kind = ("visible", "thermal")[modality]
            raise ValueError(
                f"Layout 'sysu_mm01' has {len(places)} {kind} cameras. Received {len(cameras)}: {cameras}. Leave some "
                "out of the tables."
            )
        found |= {(modality, camera): place for camera, place in zip(cameras, places, strict=False)}
    return found


def write_lists(
    root: Path,
    train: Sequence[int],
    test: Sequence[int],
    counts: Mapping[tuple[int, int], int],
    permutations: bool = True,
    seed: int = 0,
) -> None:
    """Writes what ``exp`` holds; a quarter of the training identities become validation identities.

    Args:
        root: The tree.
        train: Identities to train on.
        test: Identities to test on.
        counts: (0-based camera, identity) -> number of images.
        permutations: Whether to write ``rand_perm_cam.mat``: six cells, each with a cell per identity that
            holds ten permutations of 1..n.
        seed: Seed of the permutations.
    """
    rest = len(train) - len(train) // 4
    lists = {"train": train[:rest], "val": train[rest:], "test": test, "available": sorted([*train, *test])}
    for name, persons in lists.items():
        write_whole(root / "exp" / f"{name}_id.txt", (",".join(map(str, persons)) + "\n").encode())
    if not permutations:
        return
    from scipy.io import savemat

    cells = np.empty((6, 1), object)
    for camera in range(6):
        cells[camera, 0] = np.empty((max(*train, *test), 1), object)
        for person in range(1, len(cells[camera, 0]) + 1):
            images = counts.get((camera, person), 0)
            rng = np.random.default_rng((seed, camera, person))
            orders = [rng.permutation(images) + 1 for _ in range(10 if images else 0)]
            cells[camera, 0][person - 1, 0] = np.array(orders, np.float64).reshape(len(orders), images)
    file = io.BytesIO()
    savemat(file, {"rand_perm_cam": cells}, do_compression=True)
    content = file.getvalue()
    # The first 116 bytes are free text, in which scipy writes the time of day.
    write_whole(root / "exp" / "rand_perm_cam.mat", b"MATLAB 5.0 MAT-file".ljust(116) + content[116:])
