"""RegDB: 412 persons, ten visible and ten thermal images of each."""

import os
import re
from pathlib import Path

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.datasets._layout import find_root, parse_names
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset, require_matches
from keras_reid.datasets.table import ReIDTable

__all__ = ["DIRECTIONS", "PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {"train": (206, 4120), "query": (206, 2060), "gallery": (206, 2060)}
"""Persons and images of a trial: each half has 2,060 visible and 2,060 thermal images."""

DIRECTIONS = ("visible_to_thermal", "thermal_to_visible")
"""Modality of the queries, and of the gallery."""

_MODALITIES = ("visible", "thermal")
_NESTED = ("RegDB", "regdb", "RegDB_01", "RegDB/RegDB")
_LINE = re.compile(r"(?P<name>(?:Visible|Thermal)/(?P<person>\d+)/[^/]+?)\s+\d+\s*$")


def load(root: str | os.PathLike[str], trial: int = 1, direction: str = "visible_to_thermal") -> ReIDDataset:
    """Reads one of the ten splits of RegDB, or of any data in its layout.

    A split is named by four lists, `idx/{train,test}_{visible,thermal}_<trial>.txt`. Published numbers are
    means over ten models, each trained and tested on its own split. Identities are the folders' numbers, not
    the labels in the lists, which count from 0 in train and in test. The visible camera is 0 and the
    thermal one 1; `modality` is 1 for thermal.

    Args:
        root: The folder that holds `Visible`, `Thermal` and `idx`, or a folder above it.
        trial: Number of the split, 1 to 10.
        direction: `"visible_to_thermal"` takes visible queries to a thermal gallery,
            `"thermal_to_visible"` the other way round.

    Returns:
        The data set, with protocol `"no_camera"`: no gallery image is ignored.

    Raises:
        ValueError: An argument is out of range, the folders, lists or listed images are not there, or a line of a
            list does not parse.

    Example:
        >>> import tempfile
        >>> from keras_reid import datasets
        >>> with tempfile.TemporaryDirectory() as root:
        ...     dataset = datasets.load(
        ...         "synthetic_thermal", root, layout="regdb", train_identities=2, test_identities=2, trial=3
        ...     )
        >>> dataset.query, dataset.gallery
        (ReIDTable(20 images, 2 persons, 1 camera), ReIDTable(20 images, 2 persons, 1 camera, 20 thermal))

    Reference:
        D. T. Nguyen, H. G. Hong, K. W. Kim and K. R. Park, "Person Recognition System Based on a Combination of
        Body Images from Visible Light and Thermal Cameras", Sensors 17(3), 2017. The ten splits are those of
        M. Ye et al., "Hierarchical Discriminative Learning for Visible Thermal Person Re-Identification",
        AAAI 2018.
    """
    trial = check_positive_int("trial", trial)
    if direction not in DIRECTIONS:
        raise unknown_name("direction of RegDB", direction, DIRECTIONS)
    base = find_root("RegDB", root, ("Visible", "Thermal", "idx"), _NESTED)
    lists = {
        (part, modality): _read_list(base, part, modality, trial)
        for part in ("train", "test")
        for modality in _MODALITIES
    }
    query, _, gallery = direction.split("_")
    tables = {
        "train": ReIDTable.concatenate([lists["train", modality] for modality in _MODALITIES]),
        "query": lists["test", query],
        "gallery": lists["test", gallery],
    }
    dataset = ReIDDataset(
        name="regdb",
        train=tables["train"],
        query=tables["query"],
        gallery=tables["gallery"],
        protocol="no_camera",
        notes=compare_with_published("RegDB", PUBLISHED_COUNTS, tables),
    )
    require_matches(dataset, "The visible and the thermal test list must name the same persons.")
    return dataset


def _read_list(base: Path, part: str, modality: str, trial: int) -> ReIDTable:
    file = base / "idx" / f"{part}_{modality}_{trial}.txt"
    if not file.is_file():
        there = sorted(path.name for path in file.parent.glob(f"{part}_{modality}_*.txt"))
        raise ValueError(f"RegDB has no split {trial} here: {str(file)!r} is not there. Found: {there}.")
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    facts = parse_names(lines, _LINE, file, "lines like 'Visible/285/male_back_v_05528_285.bmp 0'")
    names = [str(fact["name"]) for fact in facts]
    foreign = [name for name in names if not name.lower().startswith(modality)]
    if foreign:
        raise ValueError(f"{str(file)!r} must list images of the folder {modality.title()}. Received: {foreign[0]!r}.")
    missing = [name for name in names if not (base / name).is_file()]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(names)} images that {str(file)!r} lists are not there, the first is "
            f"{missing[0]!r}. Complete the copy."
        )
    number = _MODALITIES.index(modality)
    return ReIDTable.from_columns(
        [str(base / name) for name in names],
        np.array([fact["person"] for fact in facts], np.int64),
        camera_id=number,
        modality=number,
    )
