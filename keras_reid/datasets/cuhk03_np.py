"""CUHK03-NP: the 1,467 persons of CUHK03 under the protocol of 767 training and 700 test persons."""

import os
import re
from pathlib import Path

from keras_reid.checks import unknown_name
from keras_reid.datasets._cuhk03_raw import MAT_FILE, config_file, extract, read_split
from keras_reid.datasets._layout import find_form
from keras_reid.datasets._market_layout import FOLDERS, read_rows
from keras_reid.datasets._published import compare_with_published
from keras_reid.datasets.dataset import ReIDDataset, require_matches

__all__ = ["PUBLISHED_COUNTS", "load"]

PUBLISHED_COUNTS = {
    "detected": {"train": (767, 7365), "query": (700, 1400), "gallery": (700, 5332)},
    "labeled": {"train": (767, 7368), "query": (700, 1400), "gallery": (700, 5328)},
}
"""Persons and images of each split, of boxes by a detector and by hand."""

_NAME = re.compile(r"(?P<person>-1|\d+)_c(?P<camera>[12])")
_OUTER = ("cuhk03-np", "CUHK03-NP", "cuhk03_np", "cuhk03", "CUHK03")


def load(
    root: str | os.PathLike[str], detection: str = "detected", cache: str | os.PathLike[str] | None = None
) -> ReIDDataset:
    """Reads CUHK03-NP from a folder: in Market-1501's layout, or from the authors' MATLAB file.

    Results with detected and labeled boxes differ by several points and papers often do not say which they used; the
    notes do. The protocol is Market-1501's, not the older one of CUHK03 (100 test persons, a gallery of one image
    each).

    Args:
        root: The folder that holds `detected` and `labeled` (each with `bounding_box_train`, `query` and
            `bounding_box_test`), or `cuhk03_release/cuhk-03.mat` and `cuhk03_new_protocol_config_detected.mat` (or
            `..._labeled.mat`), or a folder above it. A folder with the three splits themselves must say its kind at
            the end of its name, as `cuhk03-np/detected` does.
        detection: `"detected"`, boxes by a detector, or `"labeled"`, boxes by hand.
        cache: Where the images of the MATLAB file are extracted to, once, in a folder `images_detected` or
            `images_labeled`; beside `cuhk03_release` by default.

    Returns:
        The data set, with protocol `"market1501"`.

    Raises:
        ValueError: `detection` is unknown, folders, files or images are missing or damaged, a file name does not
            parse, a person is in train and test, or no query has a match from another camera.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_reid.datasets import cuhk03_np
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("bounding_box_train/0001_c1_1.png", "query/0002_c1_1.png", "bounding_box_test/0002_c2_6.png"):
        ...     (root / "detected" / name).parent.mkdir(parents=True)
        ...     (root / "detected" / name).touch()
        >>> cuhk03_np.load(root).notes
        ("Boxes by the detector (detection='detected').",)

    Reference:
        Z. Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017; of W. Li et al.,
        "DeepReID: Deep Filter Pairing Neural Network for Person Re-identification", CVPR 2014.
    """
    if detection not in PUBLISHED_COUNTS:
        raise unknown_name("`detection` of CUHK03-NP", detection, PUBLISHED_COUNTS)
    form, base = _find(Path(root).expanduser(), detection)
    if form == "raw":
        folder = (base if cache is None else Path(cache).expanduser()) / f"images_{detection}"
        extract(base / MAT_FILE, detection, folder)
        tables = read_split(base / config_file(detection), folder)
    else:
        tables = read_rows(base / form, _NAME, "names like 0001_c1_1.png").tables()
    boxes = "by the detector" if detection == "detected" else "drawn by hand"
    notes = compare_with_published(f"CUHK03-NP ({detection})", PUBLISHED_COUNTS[detection], tables)
    dataset = ReIDDataset(
        name="cuhk03_np",
        train=tables["train"],
        query=tables["query"],
        gallery=tables["gallery"],
        notes=(f"Boxes {boxes} (detection={detection!r}).", *notes),
    )
    require_matches(dataset, "CUHK03-NP's names give the camera as _c1 or _c2, raw ones as the third number.")
    return dataset


def _find(root: Path, detection: str) -> tuple[str, Path]:
    """Returns "raw" or the sub-folder with the three splits, and the folder above."""
    if all((root / folder).is_dir() for folder in FOLDERS.values()):
        if not root.absolute().name.lower().endswith(detection):
            raise ValueError(
                f"{str(root)!r} holds the three splits, and its name does not say that the boxes are {detection}. "
                f"Name it {detection!r} and pass the folder above, or pass the other `detection`."
            )
        return "", root
    inner = (detection, f"cuhk03_np_{detection}", f"cuhk03-np-{detection}")
    forms = {name: [f"{name}/{FOLDERS['train']}"] for name in inner}
    return find_form("CUHK03-NP", root, {**forms, "raw": [MAT_FILE.parent.name]}, _OUTER)
