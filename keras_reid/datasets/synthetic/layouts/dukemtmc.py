"""Synthetic people as DukeMTMC-reID: Market-1501's folders, frames of one clock for all cameras."""

from pathlib import Path

import numpy as np

from keras_reid.datasets._market_layout import FOLDERS
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import new_folder, put
from keras_reid.datasets.synthetic.layouts._splits import splits
from keras_reid.datasets.times import dukemtmc_times

__all__ = ["write"]

_CAMERAS = 8
_FPS = 59.94


def write(root: Path, people: ReIDDataset) -> None:
    """Writes `DukeMTMC-reID/bounding_box_train/0001_c2_f0046182.jpg`, `query` and `bounding_box_test`.

    Persons keep their numbers. Frames tell the times, moved so that none is below 0; without times they count.

    Args:
        root: Where `DukeMTMC-reID` is made.
        people: Whom to write.

    Raises:
        ValueError: A split is empty, a camera is unknown or beyond the eighth, or the folder is there already.
    """
    tables = splits("dukemtmc", people, _CAMERAS)
    base = new_folder(root / "DukeMTMC-reID")
    starts = dukemtmc_times(np.arange(_CAMERAS), np.zeros(_CAMERAS, np.int64))
    count = 0
    for split, table in tables.items():
        folder = new_folder(base / FOLDERS[split])
        for path, person, camera, time_s in zip(
            table.path, table.person_id, table.camera_id, table.time_s, strict=True
        ):
            count += 1
            frame = count if np.isnan(time_s) else round((time_s - starts[camera] + starts.max()) * _FPS)
            while (target := folder / f"{person:04d}_c{camera + 1}_f{frame:07d}{Path(path).suffix}").exists():
                frame += 1
            put(path, target)
