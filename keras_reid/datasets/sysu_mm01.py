"""SYSU-MM01: 491 persons under four visible and two infrared cameras."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.datasets._layout import find_root, list_images, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset, require_matches
from keras_reid.datasets.table import ReIDTable

__all__ = ["GALLERY_CAMERAS", "INFRARED_CAMERAS", "PUBLISHED_COUNTS", "PUBLISHED_TRIALS", "load"]

PUBLISHED_COUNTS = {"train": (395, 34167), "query": (96, 3803)}
"""Persons and images: of training and validation (22,258 visible, 11,909 infrared), and of the queries."""

PUBLISHED_TRIALS = {
    ("all", 1): (96, 301),
    ("all", 10): (96, 3010),
    ("indoor", 1): (56, 112),
    ("indoor", 10): (56, 1120),
}
"""Persons and images of one trial's gallery, by search and shots."""

INFRARED_CAMERAS = (2, 5)
"""0-based; in folder names they are 3 and 6."""

GALLERY_CAMERAS = {"all": (0, 1, 3, 4), "indoor": (0, 1)}
"""0-based cameras of the gallery, by search; in folder names they are 1, 2, 4, 5."""

_CAMERAS = 6
_PERMUTATIONS = "rand_perm_cam.mat"
_NESTED = ("SYSU-MM01", "sysu_mm01", "SYSU_MM01", "sysu-mm01", "SYSU", "sysu", "SYSU-MM01/SYSU-MM01")
_NAME = re.compile(r"(?P<person>\d+)/(?P<number>\d+)\.\w+$")


def load(
    root: str | os.PathLike[str], search: str = "all", shots: int = 1, trials: int = 10, seed: int = 0
) -> ReIDDataset:
    """Reads SYSU-MM01, or any data in its layout, from a folder.

    Training takes the training and the validation identities under all six cameras. Queries are all
    infrared images (cameras 3 and 6) of the test identities, in both searches. The gallery table holds
    all visible images of the test identities before the search's cameras, and each of `trials` names the
    rows of one small gallery: `shots` images per person and camera. Cameras are numbered from 0,
    identities keep their numbers, `modality` is 1 for infrared.

    The galleries are the official ones if `exp/rand_perm_cam.mat` is there: of trial t the first
    `shots` numbers of row t. Without it they are drawn from `seed`, and the notes say so; numbers then
    differ a little from published ones.

    Args:
        root: The folder that holds `cam1` to `cam6` and `exp`, or a folder above it.
        search: `"all"` (cameras 1, 2, 4, 5) or `"indoor"` (cameras 1 and 2).
        shots: Gallery images of a person before a camera: 1 (single-shot) or 10 (multi-shot). Whoever has
            fewer gives all.
        trials: How many galleries; results are means over them.
        seed: Seed of the galleries when the official file is not there.

    Returns:
        The data set, with protocol `"sysu_mm01"`.

    Raises:
        ValueError: An argument is out of range, the folders or identity lists are not there, a file name does
            not parse, the official file does not fit the images, or a person is in train and test.

    Example:
        >>> import tempfile
        >>> from keras_reid import datasets
        >>> with tempfile.TemporaryDirectory() as root:
        ...     dataset = datasets.load(
        ...         "synthetic_thermal", root, train_identities=2, test_identities=2, search="indoor"
        ...     )
        >>> dataset.protocol, len(dataset.trials)
        ('sysu_mm01', 10)

    Reference:
        A. Wu, W.-S. Zheng, H.-X. Yu, S. Gong and J. Lai, "RGB-Infrared Cross-Modality Person
        Re-Identification", ICCV 2017; evaluation code of the authors, github.com/wuancong/SYSU-MM01.
    """
    if search not in GALLERY_CAMERAS:
        raise unknown_name("search of SYSU-MM01", search, GALLERY_CAMERAS)
    shots, trials = check_positive_int("shots", shots), check_positive_int("trials", trials)
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or seed < 0:
        raise ValueError(f"`seed` must be an integer of at least 0. Received: {seed!r}.")
    base = find_root("SYSU-MM01", root, (*(f"cam{n}" for n in range(1, _CAMERAS + 1)), "exp"), _NESTED)
    train_ids = {*_read_ids(base / "exp" / "train_id.txt"), *_read_ids(base / "exp" / "val_id.txt")}
    test_ids = _read_ids(base / "exp" / "test_id.txt")
    table, number = _read_images(base)

    tested = np.isin(table.person_id, list(test_ids))
    in_gallery = tested & np.isin(table.camera_id, GALLERY_CAMERAS[search])
    tables = {
        "train": table.where(np.isin(table.person_id, list(train_ids))),
        "query": table.where(tested & (table.modality == 1)),
        "gallery": table.where(in_gallery),
    }
    cells = _gallery_cells(tables["gallery"], number[in_gallery])
    rows, notes = _trials(base / "exp" / _PERMUTATIONS, cells, shots, trials, seed)
    published, found = dict(PUBLISHED_COUNTS), {split: tables[split] for split in PUBLISHED_COUNTS}
    if rows and (search, shots) in PUBLISHED_TRIALS:
        name = "the gallery of a trial"
        published[name], found[name] = PUBLISHED_TRIALS[search, shots], tables["gallery"].take(rows[0])
    notes += compare_with_published("SYSU-MM01", published, found)
    dataset = ReIDDataset(
        name="sysu_mm01",
        train=tables["train"],
        query=tables["query"],
        gallery=tables["gallery"],
        protocol="sysu_mm01",
        notes=notes,
        trials=rows,
    )
    require_matches(dataset, "The test identities need images in cam3 or cam6 and in a camera of the search.")
    return dataset


def _read_ids(file: Path) -> list[int]:
    if not file.is_file():
        raise ValueError(f"SYSU-MM01 needs the identity list {str(file)!r}, which is not there. It is in the download.")
    text = file.read_text(encoding="utf-8").replace("\n", ",")
    words = [word.strip() for word in text.split(",") if word.strip()]
    bad = [word for word in words if not word.isdecimal()]
    if bad:
        raise ValueError(f"{str(file)!r} must hold identity numbers with commas between them. Received: {bad[:3]}.")
    return [int(word) for word in words]


def _read_images(base: Path) -> tuple[ReIDTable, np.ndarray]:
    """Every image of the six cameras in the order of its name, and its number within person and camera."""
    paths: list[str] = []
    columns: dict[str, list[int]] = {"person": [], "camera": [], "number": []}
    for camera in range(_CAMERAS):
        folder = base / f"cam{camera + 1}"
        # An excerpt may have nobody before a camera.
        names = list_images(folder, recursive=True) if any(folder.iterdir()) else []
        for fact in parse_names(names, _NAME, folder, "names like 0001/0001.jpg"):
            columns["person"].append(int(fact["person"] or 0))
            columns["number"].append(int(fact["number"] or 0))
        paths += [str(folder / name) for name in names]
        columns["camera"] += [camera] * len(names)
    infrared = np.isin(columns["camera"], INFRARED_CAMERAS).astype(np.int32)
    table = ReIDTable.from_columns(paths, columns["person"], columns["camera"], modality=infrared)
    return table, np.array(columns["number"])


def _gallery_cells(gallery: ReIDTable, number: np.ndarray) -> dict[tuple[int, int], dict[int, int]]:
    """(camera, person) -> image number -> row, in the order of cameras, persons and file names."""
    cells: dict[tuple[int, int], dict[int, int]] = {}
    rows = zip(gallery.camera_id.tolist(), gallery.person_id.tolist(), number.tolist(), strict=True)
    for row, (camera, person, image) in enumerate(rows):
        cells.setdefault((camera, person), {})[image] = row
    return cells


def _trials(
    official: Path, cells: Mapping[tuple[int, int], dict[int, int]], shots: int, trials: int, seed: int
) -> tuple[tuple[np.ndarray, ...], tuple[str, ...]]:
    """Gallery rows of each trial, and what is to be said about them."""
    if not cells:
        return (), ()
    notes: tuple[str, ...] = ()
    if official.is_file():
        rows = _official_trials(official, cells, shots, trials)
    else:
        rows = _drawn_trials(cells, shots, trials, seed)
        notes += (
            f"exp/{_PERMUTATIONS} is not there: the galleries of the {trials} trials are drawn from seed {seed}, "
            "and results differ a little from those on the official galleries.",
        )
    few = sum(len(images) < shots for images in cells.values())
    if few:
        notes += (f"{few} of {len(cells)} persons before a camera have fewer than {shots} images; they give all.",)
    return rows, notes


def _official_trials(
    file: Path, cells: Mapping[tuple[int, int], dict[int, int]], shots: int, trials: int
) -> tuple[np.ndarray, ...]:
    from scipy.io import loadmat

    permutations = loadmat(file)["rand_perm_cam"].ravel()
    chosen: list[list[int]] = [[] for _ in range(trials)]
    for (camera, person), rows in cells.items():
        persons = permutations[camera].ravel()
        order = np.atleast_2d(persons[person - 1]) if person <= len(persons) else np.empty((0, 0), int)
        if len(order) < trials or not order.size:
            raise ValueError(
                f"{str(file)!r} has {len(order)} permutations of the images of person {person} in cam{camera + 1}, and "
                f"{trials} trials were asked for. Ask for fewer trials, or remove the file to have galleries drawn."
            )
        for trial in range(trials):
            numbers = order[trial, :shots].astype(np.int64).tolist()
            missing = [image for image in numbers if image not in rows]
            if missing:
                raise ValueError(
                    f"{str(file)!r} names image {missing[0]} of person {person} in cam{camera + 1}, which is not "
                    "there. Complete the copy, or remove the file to have galleries drawn."
                )
            chosen[trial] += [rows[image] for image in numbers]
    return tuple(np.array(rows, np.int64) for rows in chosen)


def _drawn_trials(
    cells: Mapping[tuple[int, int], dict[int, int]], shots: int, trials: int, seed: int
) -> tuple[np.ndarray, ...]:
    """As the official ones: more shots contain fewer, and a person's draw does not depend on who else is there."""
    chosen: list[np.ndarray] = []
    for trial in range(trials):
        rows = [
            np.random.default_rng((seed, trial, camera, person)).permutation(list(images.values()))[:shots]
            for (camera, person), images in cells.items()
        ]
        chosen.append(np.concatenate(rows).astype(np.int64))
    return tuple(chosen)
