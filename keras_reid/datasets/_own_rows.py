"""Turns the text of a person's own file names or CSV into checked columns and a dataset."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset, require_matches
from keras_reid.datasets.split import WITHOUT_CAMERAS, split_by_identity
from keras_reid.datasets.table import ReIDTable

__all__ = ["OwnRows"]

_SPLITS = ("train", "query", "gallery")
# Spreadsheets write whole numbers as 3.0 once a cell of the column is empty.
_WHOLE_NUMBER = re.compile(r"-?\d+(\.0+)?")


@dataclass(frozen=True)
class OwnRows:
    """The facts about N images as text, "" where missing; a column that nobody gave is None."""

    source: str
    places: Sequence[str]  # where each row comes from, for messages
    paths: Sequence[str]
    persons: Sequence[str]
    cameras: Sequence[str] | None
    times: Sequence[str] | None
    splits: Sequence[str] | None
    fps: float = 1.0
    modalities: Sequence[str] | None = None
    tracklets: Sequence[str] | None = None

    def dataset(self, name: str, train_fraction: float, seed: int) -> ReIDDataset:
        """Returns the checked dataset, split as given, else by person."""
        self._check_files()
        person_id, person_notes = self._numbered("person", self.persons, first=1)
        camera_id, camera_notes = self._camera_ids()
        table = ReIDTable.from_columns(
            path=self.paths,
            person_id=person_id,
            camera_id=camera_id,
            time_s=self._seconds(),
            modality=self._whole("modality", self.modalities, missing=0),
            tracklet=self._whole("tracklet", self.tracklets, missing=-1),
        )
        keep = table.person_id != -1
        notes = person_notes + camera_notes
        if not keep.all():
            notes += (f"{np.count_nonzero(~keep)} junk images (person -1) were left out.",)
        if self.splits is None:
            tables = split_by_identity(table.where(keep), train_fraction, seed)
            notes += (f"Split by person: train_fraction={train_fraction}, seed={seed}.",)
        else:
            split_of = self._checked_splits(self.splits)
            tables = {split: table.where(keep & (split_of == split)) for split in _SPLITS}
        protocol = "market1501" if table.num_cameras else "no_camera"
        dataset = ReIDDataset(
            name=name,
            train=tables["train"],
            query=tables["query"],
            gallery=tables["gallery"],
            protocol=protocol,
            notes=notes,
        )
        require_matches(dataset, WITHOUT_CAMERAS)
        return dataset

    def _check_files(self) -> None:
        if not self.paths:
            raise ValueError(f"{self.source!r} names no image.")
        missing = [row for row, path in enumerate(self.paths) if not os.path.isfile(path)]  # noqa: PTH113
        if missing:
            shown = ", ".join(f"{self.paths[row]} ({self.places[row]})" for row in missing[:3])
            raise ValueError(
                f"{len(missing)} of {len(self.paths)} images of {self.source!r} do not exist: "
                f"{shown}{', ...' if len(missing) > 3 else ''}. Relative paths start from the "
                "folder of the CSV file unless `images` says another."
            )

    def _numbered(self, noun: str, texts: Sequence[str], first: int) -> tuple[np.ndarray, tuple[str, ...]]:
        """Returns whole numbers as they are; names as numbers from `first`, with a note."""
        empty = [row for row, text in enumerate(texts) if not text]
        if empty:
            raise ValueError(
                f"{len(empty)} of {len(texts)} images of {self.source!r} have no {noun}, e.g. "
                f"{self.places[empty[0]]}. Give one for every image."
            )
        if all(_WHOLE_NUMBER.fullmatch(text) for text in texts):
            return np.array([int(float(text)) for text in texts], dtype=np.int64), ()
        number = {text: first + row for row, text in enumerate(sorted(set(texts)))}
        shown = ", ".join(f"{text} = {value}" for text, value in list(number.items())[:5])
        more = ", ..." if len(number) > 5 else ""
        note = f"The {noun} names were numbered: {shown}{more}."
        return np.array([number[text] for text in texts], dtype=np.int64), (note,)

    def _camera_ids(self) -> tuple[np.ndarray | None, tuple[str, ...]]:
        if self.cameras is None or not any(self.cameras):
            return None, ()
        numbers, notes = self._numbered("camera", self.cameras, first=0)
        unknown = np.flatnonzero(numbers == -1)
        if 0 < len(unknown) < len(numbers):
            raise ValueError(
                f"{len(unknown)} of {len(numbers)} images of {self.source!r} have camera -1 "
                f"(unknown), e.g. {self.places[unknown[0]]}. Give a camera for every image. "
                f"{WITHOUT_CAMERAS}"
            )
        return numbers, notes

    def _seconds(self) -> np.ndarray | None:
        if self.times is None:
            return None
        seconds = np.full(len(self.times), np.nan)
        for row, text in enumerate(self.times):
            if text:
                seconds[row] = self._number("time", text, row)
        return seconds / self.fps

    def _whole(self, noun: str, texts: Sequence[str] | None, missing: int) -> np.ndarray | None:
        if texts is None:
            return None
        numbers = np.full(len(texts), missing)
        for row, text in enumerate(texts):
            if text:
                number = self._number(noun, text, row)
                if not number.is_integer():
                    raise ValueError(
                        f"The {noun} of {self.places[row]} in {self.source!r} must be a whole "
                        f"number. Received: {text!r}."
                    )
                numbers[row] = int(number)
        return numbers

    def _number(self, noun: str, text: str, row: int) -> float:
        try:
            return float(text)
        except ValueError:
            raise ValueError(
                f"The {noun} of {self.places[row]} in {self.source!r} must be a number. Received: {text!r}."
            ) from None

    def _checked_splits(self, splits: Sequence[str]) -> np.ndarray:
        for place, split in zip(self.places, splits, strict=True):
            if split not in _SPLITS:
                raise ValueError(
                    f"The split of {place} in {self.source!r} must be one of {', '.join(_SPLITS)}. Received: {split!r}."
                )
        return np.array(splits)
