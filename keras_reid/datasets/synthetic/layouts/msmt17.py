"""Synthetic people as MSMT17: a folder per person, lists that say which image is in which split."""

from pathlib import Path

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.datasets._market_layout import FOLDERS
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import new_folder, put
from keras_reid.datasets.synthetic.layouts._splits import splits
from keras_reid.datasets.table import ReIDTable

__all__ = ["write"]

_CAMERAS = 15
# Version -> the folders of training and of test images.
_VERSIONS = {"v1": ("train", "test"), "v2": ("mask_train_v2", "mask_test_v2")}


def write(root: Path, people: ReIDDataset, version: str = "v1") -> None:
    """Writes `MSMT17_V1/train/0000/0000_000_01_0303morning_0008_0.jpg`, `test`, and the four lists.

    Persons are numbered from 0, in training and in test. The last image of each training person is for validation.
    The day is the same for all, and the number after it counts: MSMT17's times are not defined.

    Args:
        root: Where `MSMT17_V1` or `MSMT17_V2` is made.
        people: Whom to write.
        version: `"v1"`, `"v2"` (other folder names; nobody's face is blurred here), or `"market"`: Market-1501's
            folders and names like `0000_c1_0008.jpg`, made in `MSMT17`.

    Raises:
        ValueError: The version is unknown, a split is empty, a camera is unknown or beyond the fifteenth, or the
            folder is there already.
    """
    if version not in {*_VERSIONS, "market"}:
        raise unknown_name("version of the layout 'msmt17'", version, [*_VERSIONS, "market"])
    tables = splits("msmt17", people, _CAMERAS)
    if version == "market":
        _write_market(new_folder(root / "MSMT17"), tables)
        return
    base = new_folder(root / f"MSMT17_{version.upper()}")
    train, test = _VERSIONS[version]
    lines = _copy(base / train, {"train": tables["train"]})
    last = {line.rpartition(" ")[2]: line for line in lines["train"]}
    lines["val"] = list(last.values())
    lines["train"] = [line for line in lines["train"] if line not in lines["val"]]
    lines |= _copy(base / test, {"query": tables["query"], "gallery": tables["gallery"]})
    for split, of_split in lines.items():
        (base / f"list_{split}.txt").write_text("".join(f"{line}\n" for line in of_split), encoding="utf-8")


def _copy(folder: Path, tables: dict[str, ReIDTable]) -> dict[str, list[str]]:
    """Copies images under their new names and returns the lines of each list."""
    persons = np.unique(np.concatenate([table.person_id for table in tables.values()]))
    images = dict.fromkeys(range(len(persons)), 0)
    lines: dict[str, list[str]] = {}
    for split, table in tables.items():
        lines[split] = []
        labels = np.searchsorted(persons, table.person_id).tolist()
        for path, person, camera in zip(table.path, labels, table.camera_id, strict=True):
            number = images[person]
            images[person] += 1
            name = f"{person:04d}_{number:03d}_{camera + 1:02d}_0303morning_{number:04d}_0{Path(path).suffix}"
            (folder / f"{person:04d}").mkdir(parents=True, exist_ok=True)
            put(path, folder / f"{person:04d}" / name)
            lines[split].append(f"{person:04d}/{name} {person}")
    return lines


def _write_market(base: Path, tables: dict[str, ReIDTable]) -> None:
    for split, table in tables.items():
        folder = new_folder(base / FOLDERS[split])
        for row, (path, person, camera) in enumerate(zip(table.path, table.person_id, table.camera_id, strict=True)):
            put(path, folder / f"{person:04d}_c{camera + 1}_{row:04d}{Path(path).suffix}")
