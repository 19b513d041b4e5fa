"""CUHK03 as its authors gave it away: all images in one MATLAB file, extracted here once."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from keras_reid.datasets.table import ReIDTable

if TYPE_CHECKING:
    import h5py

__all__ = ["MAT_FILE", "config_file", "extract", "image_name", "read_split"]

MAT_FILE = Path("cuhk03_release") / "cuhk-03.mat"
"""The images: a MATLAB 7.3 file, which is HDF5."""

_NAME = re.compile(r"[1-9]_\d+_(?P<view>[12])_\d+\.png")
_SPLITS = {"train": "train_idx", "query": "query_idx", "gallery": "gallery_idx"}
_VIEW = 5  # of the ten columns of a person, the first five are of the first camera


def config_file(detection: str) -> str:
    """Returns the name of the file that holds the new protocol."""
    return f"cuhk03_new_protocol_config_{detection}.mat"


def image_name(pair: int, person: int, column: int) -> str:
    """Returns the name under which the protocol's file list knows an image; all three count from 0."""
    return f"{pair + 1}_{person + 1:03d}_{1 if column < _VIEW else 2}_{column + 1:02d}.png"


def extract(mat: Path, detection: str, folder: Path) -> None:
    """Writes the images of a kind as PNG files, unless the folder is there already.

    They are written beside it under another name, which becomes `folder` when the last one is written: a folder of
    that name is whole, whoever else extracts at the same time.

    Args:
        mat: The file.
        detection: `"detected"` or `"labeled"`.
        folder: Where to.

    Raises:
        ValueError: The file is missing, damaged or not CUHK03's, or the place cannot be written.
    """
    if folder.is_dir():
        return
    if not mat.is_file():
        raise ValueError(f"Missing: {str(mat)!r}. The images are extracted from it to {str(folder)!r}, once.")
    import h5py  # comes with Keras; 0.1 s that the other readers can do without

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ValueError(
            f"The images of {str(mat)!r} must be extracted once, and {str(folder.parent)!r} cannot be written "
            f"({error.strerror}). Pass `cache`, a folder with room for them."
        ) from error
    try:
        try:
            with h5py.File(mat, "r") as file:
                _write_images(file, detection, part)
        except (OSError, KeyError) as error:
            raise ValueError(
                f"{str(mat)!r} could not be read: {error}. Expected CUHK03's MATLAB 7.3 file (HDF5), with "
                f"{detection!r} in it. Is the download complete?"
            ) from error
        part.chmod(0o755)  # mkdtemp's folders are private
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():  # else somebody was faster, with the same images
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_images(file: "h5py.File", detection: str, folder: Path) -> None:
    for pair, of_pair in enumerate(file[detection][0]):
        # HDF5 has MATLAB's arrays transposed: [10, persons] references to images of shape [3, W, H].
        for column, of_column in enumerate(file[of_pair][:]):
            for person, reference in enumerate(of_column):
                image = file[reference]
                if image.ndim == 3:  # an empty cell is stored as its shape, a vector
                    pixels = np.ascontiguousarray(image[:].T)
                    Image.fromarray(pixels).save(folder / image_name(pair, person, column))


def read_split(config: Path, folder: Path) -> dict[str, ReIDTable]:
    """Returns the splits that the new protocol makes of the extracted images.

    Args:
        config: The protocol's MATLAB file.
        folder: The images.

    Returns:
        Split -> table; persons 1 to 1,467, cameras 0 and 1 (first or second view, whatever the pair of cameras).

    Raises:
        ValueError: The file is missing or no such protocol, or images that it names are missing.
    """
    from scipy.io import loadmat  # 0.1 s that the other readers can do without
    from scipy.io.matlab import MatReadError

    if not config.is_file():
        raise ValueError(f"Missing: {str(config)!r}. It says which image is in which split.")
    try:
        content = loadmat(config)
        names = [str(np.squeeze(cell)) for cell in content["filelist"].ravel()]
        labels = content["labels"].ravel().astype(np.int64)
        rows = {split: content[key].ravel().astype(np.int64) - 1 for split, key in _SPLITS.items()}
    except (OSError, ValueError, KeyError, NotImplementedError, MatReadError) as error:
        raise ValueError(
            f"{str(config)!r} could not be read: {error}. Expected the new protocol's file, with filelist, labels, "
            f"{', '.join(_SPLITS.values())}."
        ) from error
    matches = [_NAME.fullmatch(name) for name in names]
    bad = [name for name, match in zip(names, matches, strict=True) if match is None]
    if bad:
        raise ValueError(f"{str(config)!r} lists {bad[0]!r}. Expected names like 1_001_1_01.png.")
    camera = np.array([int(match["view"]) - 1 for match in matches if match], dtype=np.int64)
    absent = sorted(set(names).difference(file.name for file in folder.iterdir()))
    if absent:
        raise ValueError(
            f"{len(absent)} of {len(names)} images of {config.name} are not in {str(folder)!r}, e.g. {absent[0]}. "
            "If the folder holds an interrupted extraction, delete it: it is made again."
        )
    table = ReIDTable.from_columns([folder / name for name in names], labels, camera)
    return {split: table.take(taken) for split, taken in rows.items()}
