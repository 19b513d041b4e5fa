"""Synthetic people as CUHK03-NP: Market-1501's folders per kind of box, or the authors' MATLAB files."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_reid.checks import unknown_name
from keras_reid.datasets._cuhk03_raw import MAT_FILE, config_file, image_name
from keras_reid.datasets._market_layout import FOLDERS
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import new_folder, put
from keras_reid.datasets.synthetic.layouts._splits import splits

__all__ = ["write"]

_PAIRS = 5
_VIEW = 5  # images of a person that a view can hold
_HEADER = b"MATLAB 7.3 MAT-file, synthetic people"


@dataclass(frozen=True)
class _Picture:
    """An image and its place: person from 1, view 0 or 1, and its number 0 to 4 in that view."""

    path: str
    split: str
    person: int
    view: int
    number: int

    @property
    def cell(self) -> tuple[int, int, int]:
        """Pair of cameras, person of that pair, column; all from 0."""
        return (self.person - 1) % _PAIRS, (self.person - 1) // _PAIRS, _VIEW * self.view + self.number


def write(root: Path, people: ReIDDataset, form: str = "market") -> None:
    """Writes both kinds of boxes, as `cuhk03-np/detected/query/0001_c1_1.png` or as MATLAB files in `cuhk03`.

    Cameras 0, 2, 4, ... become the first view, the others the second. As in CUHK03, a view has at most five images
    of a person, and one query: further images are left out. Persons are numbered from 1. The last training image is
    among the labeled boxes only, as if the detector had missed it; else both kinds are the same images. Images are
    stored as PNG, so that pixels are kept but not bytes.

    Args:
        root: Where `cuhk03-np` or `cuhk03` is made.
        people: Whom to write; distractors (person 0) are left out.
        form: `"market"` or `"raw"`.

    Raises:
        ValueError: The form is unknown, a split is empty, a camera is unknown, or the folder is there already.
    """
    if form not in ("market", "raw"):
        raise unknown_name("form of the layout 'cuhk03_np'", form, ["market", "raw"])
    pictures = _choose(people)
    missed = [picture for picture in pictures if picture.split == "train"][-1]
    kinds = {"labeled": pictures, "detected": [picture for picture in pictures if picture is not missed]}
    if form == "market":
        base = new_folder(root / "cuhk03-np")
        for kind, of_kind in kinds.items():
            folders = {split: new_folder(base / kind / folder) for split, folder in FOLDERS.items()}
            for picture in of_kind:
                name = f"{picture.person:04d}_c{picture.view + 1}_{_VIEW * picture.view + picture.number + 1}.png"
                put(picture.path, folders[picture.split] / name)
        return
    base = new_folder(root / "cuhk03")
    new_folder(base / MAT_FILE.parent)
    _write_images(base / MAT_FILE, kinds)
    for kind, of_kind in kinds.items():
        _write_config(base / config_file(kind), of_kind)


def _choose(people: ReIDDataset) -> list[_Picture]:
    pictures: list[_Picture] = []
    persons: dict[int, int] = {}
    used: Counter[tuple[int, int]] = Counter()
    for split, table in splits("cuhk03_np", people, cameras=2**31).items():
        for path, person, camera in zip(table.path, table.person_id.tolist(), table.camera_id.tolist(), strict=True):
            place = person, camera % 2
            if person > 0 and used[place] < (1 if split == "query" else _VIEW):
                number = persons.setdefault(person, len(persons) + 1)
                pictures.append(_Picture(path, split, number, camera % 2, used[place]))
                used[place] += 1
    return pictures


def _write_images(file: Path, kinds: dict[str, list[_Picture]]) -> None:
    """Writes what MATLAB 7.3 writes: cells are datasets of references, arrays are transposed."""
    import h5py

    with h5py.File(file, "w", userblock_size=512) as mat:
        cells = mat.create_group("#refs#")

        def put_cell(values: np.ndarray, **attributes: object) -> "h5py.Reference":
            cell = cells.create_dataset(f"c{len(cells)}", data=values)
            cell.attrs.update(attributes)
            return cell.ref

        def put_cells(name: str, group: "h5py.Group", references: np.ndarray) -> "h5py.Reference":
            cell = group.create_dataset(name, data=references, dtype=h5py.ref_dtype)
            cell.attrs["MATLAB_class"] = np.bytes_("cell")
            return cell.ref

        for kind, pictures in kinds.items():
            pairs = np.empty((1, _PAIRS), dtype=object)
            for pair in range(_PAIRS):
                people = 1 + max((p.cell[1] for p in pictures if p.cell[0] == pair), default=-1)
                images = np.empty((2 * _VIEW, people), dtype=object)
                for picture in (p for p in pictures if p.cell[0] == pair):
                    with Image.open(picture.path) as image:
                        pixels = np.asarray(image.convert("RGB")).T
                    images[picture.cell[2], picture.cell[1]] = put_cell(pixels, MATLAB_class=np.bytes_("uint8"))
                for place, cell in list(np.ndenumerate(images)):
                    if cell is None:  # stored as its shape, 0 x 0
                        images[place] = put_cell(np.zeros(2, np.uint64), MATLAB_empty=1)
                pairs[0, pair] = put_cells(f"{kind}{pair}", cells, images)
            put_cells(kind, mat, pairs)
    with file.open("r+b") as raw:
        raw.write(_HEADER.ljust(124) + b"\x00\x02IM")


def _write_config(file: Path, pictures: list[_Picture]) -> None:
    from scipy.io import savemat

    def column(values: list[int]) -> np.ndarray:
        return np.array(values, dtype=np.float64).reshape(-1, 1)

    rows = {split: [row for row, p in enumerate(pictures, start=1) if p.split == split] for split in FOLDERS}
    names = np.array([image_name(*picture.cell) for picture in pictures], dtype=object).reshape(-1, 1)
    savemat(
        file,
        {
            "filelist": names,
            "labels": column([picture.person for picture in pictures]),
            "camId": column([picture.view + 1 for picture in pictures]),
            **{f"{split}_idx": column(taken) for split, taken in rows.items()},
        },
    )
