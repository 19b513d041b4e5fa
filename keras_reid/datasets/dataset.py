"""A benchmark as three tables: what to train on, what to look for, and where to look for it."""

from dataclasses import dataclass

import numpy as np

from keras_reid.datasets.table import ReIDTable

__all__ = ["ReIDDataset", "RefusedDataset", "has_match", "require_matches"]

_NO_CAMERA = -2  # -1 is a camera that is unknown


class RefusedDataset(ValueError):
    """Tables that cannot be trained on and tested; the error holds them, so that `check` can look at all of them.

    Args:
        message: What is wrong with them, and what to do.
        dataset: The tables.

    Example:
        >>> from keras_reid.datasets import ReIDDataset, ReIDTable, RefusedDataset
        >>> table = ReIDTable.from_columns(["/a.jpg"], [1])
        >>> try:
        ...     ReIDDataset("mine", train=table, query=table, gallery=table)
        ... except RefusedDataset as refused:
        ...     print(refused.dataset.train)
        ReIDTable(1 image, 1 person, cameras unknown)
    """

    def __init__(self, message: str, dataset: "ReIDDataset") -> None:
        super().__init__(message, dataset)  # both, so that the error can be copied to another process
        self.dataset = dataset

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class ReIDDataset:
    """A training table, a query table, a gallery table, and the protocol to evaluate them by.

    Attributes:
        name: The data set's name.
        train: Images to train on; may be empty.
        query: Images to look for; may be empty in a set that is for training only.
        gallery: Images to search. Identities that no query has are distractors.
        protocol: How to evaluate. `"market1501"` ignores, per query, the gallery images of its own
            identity and camera; `"sysu_mm01"`, for queries of camera 2, all gallery images of camera 1;
            `"no_camera"` ignores nothing, for data without cameras.
        notes: Sentences about these data that a reader found worth saying.
        trials: Gallery row numbers of each trial, for protocols that draw several small galleries and
            take the mean over them. Empty: one trial, the whole gallery.

    Raises:
        TypeError: A split is no `ReIDTable`.
        RefusedDataset: A ValueError: an identity is in the training split and in a test split, or (protocol
            `"no_camera"`) an image is in the query and in the gallery.
        ValueError: A trial names rows that the gallery does not have.

    Example:
        >>> from keras_reid.datasets import ReIDDataset, ReIDTable
        >>> train = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [1, 2], [0, 1])
        >>> query = ReIDTable.from_columns(["/c.jpg"], [3], [0])
        >>> gallery = ReIDTable.from_columns(["/d.jpg", "/e.jpg"], [3, 4], [1, 1])
        >>> print(ReIDDataset("mine", train, query, gallery).summary())
        mine (protocol market1501)
        split    persons  images  cameras
        train          2       2        2
        query          1       1        1
        gallery        2       2        1
    """

    name: str
    train: ReIDTable
    query: ReIDTable
    gallery: ReIDTable
    protocol: str = "market1501"
    notes: tuple[str, ...] = ()
    trials: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        for split in ("train", "query", "gallery"):
            table = getattr(self, split)
            if not isinstance(table, ReIDTable):
                raise TypeError(f"`{split}` must be a ReIDTable. Received: {type(table).__name__}.")
        self._check_identities()
        if self.protocol == "no_camera":
            self._check_images()
        for number, rows in enumerate(self.trials):
            if not len(rows) or np.min(rows) < 0 or np.max(rows) >= len(self.gallery):
                raise ValueError(
                    f"Trial {number} of {self.name!r} must name rows of the gallery, 0 to {len(self.gallery) - 1}. "
                    f"Received: {_first(np.asarray(rows))}."
                )

    def _check_identities(self) -> None:
        test_ids = np.union1d(self.query.person_id, self.gallery.person_id)
        shared = np.intersect1d(self.train.person_id, test_ids)
        if shared.size:
            raise RefusedDataset(
                f"{shared.size} identities of {self.name!r} are in the training split and in a "
                f"test split: {_first(shared)}. Train and test must not share a person; if these "
                "are different people with equal numbers, give those of one split other numbers "
                "(`table.with_labels`).",
                self,
            )

    def _check_images(self) -> None:
        shared = np.intersect1d(self.query.path.astype(str), self.gallery.path.astype(str))
        if shared.size:
            raise RefusedDataset(
                f"{shared.size} images of {self.name!r} are in the query and in the gallery: "
                f"{_first(shared)}. Without cameras each would find itself; leave the query images "
                "out of the gallery.",
                self,
            )

    @property
    def cross_camera(self) -> bool:
        """Whether the protocol ignores matches of the query's own camera."""
        return self.protocol == "market1501"

    @property
    def findable(self) -> np.ndarray:
        """`[Q]` booleans: the gallery holds an image of the query's identity that the protocol does not ignore."""
        if self.protocol == "sysu_mm01":
            ignored = np.where(self.query.camera_id == 2, 1, _NO_CAMERA)
            return _has_match_outside(self.query, self.gallery, ignored)
        return has_match(self.query, self.gallery, self.cross_camera)

    def summary(self) -> str:
        """Returns a text table: persons, images and cameras of each split, then the notes.

        Returns:
            Several lines of text, without a final line break.
        """
        lines = [
            f"{self.name} (protocol {self.protocol})",
            f"{'split':<8} {'persons':>7} {'images':>7} {'cameras':>8}",
        ]
        for split in ("train", "query", "gallery"):
            table: ReIDTable = getattr(self, split)
            cameras = str(table.num_cameras) if table.num_cameras or not len(table) else "unknown"
            lines.append(f"{split:<8} {table.num_persons:>7} {len(table):>7} {cameras:>8}")
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)


def has_match(query: ReIDTable, gallery: ReIDTable, cross_camera: bool = True) -> np.ndarray:
    """Says which queries can be found at all.

    Args:
        query: The queries, Q rows.
        gallery: The images to search.
        cross_camera: Whether a match of the query's own camera does not count (Market-1501's rule).

    Returns:
        `[Q]` booleans: the gallery holds an image of the same identity, if `cross_camera` from
        another camera.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.datasets.dataset import has_match
        >>> query = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [1, 2], [0, 0])
        >>> gallery = ReIDTable.from_columns(["/c.jpg", "/d.jpg"], [1, 2], [0, 1])
        >>> has_match(query, gallery)
        array([False,  True])
    """
    if not cross_camera:
        return np.isin(query.person_id, gallery.person_id)
    return _has_match_outside(query, gallery, query.camera_id)


def _has_match_outside(query: ReIDTable, gallery: ReIDTable, ignored: np.ndarray) -> np.ndarray:
    """Says which queries have an image of their identity from a camera other than the one each of them ignores."""
    cameras_of: dict[int, set[int]] = {}
    for person, camera in set(zip(gallery.person_id.tolist(), gallery.camera_id.tolist(), strict=True)):
        cameras_of.setdefault(person, set()).add(camera)
    rows = zip(query.person_id.tolist(), ignored.tolist(), strict=True)
    return np.array([bool(cameras_of.get(person, set()) - {camera}) for person, camera in rows], dtype=bool)


def require_matches(dataset: ReIDDataset, advice: str) -> None:
    """Raises if there are queries and none can be found: every metric would be undefined.

    Args:
        dataset: What a reader made.
        advice: What its user can do about it, one sentence.

    Raises:
        RefusedDataset: A ValueError: no query has a match; the message says which rule leaves none.

    Example:
        >>> from keras_reid.datasets import ReIDDataset, ReIDTable
        >>> from keras_reid.datasets.dataset import require_matches
        >>> nothing = ReIDTable.from_columns([], [])
        >>> query = ReIDTable.from_columns(["/a.jpg"], [1], [0])
        >>> gallery = ReIDTable.from_columns(["/b.jpg"], [1], [0])
        >>> require_matches(ReIDDataset("mine", nothing, query, gallery), "Add a camera.")
        Traceback (most recent call last):
        keras_reid.datasets.dataset.RefusedDataset: None of the 1 query images of 'mine' has a match ...
    """
    query, gallery = dataset.query, dataset.gallery
    if not len(query) or dataset.findable.any():
        return
    same_camera = int(has_match(query, gallery, cross_camera=False).sum())
    if not same_camera:
        raise RefusedDataset(
            f"None of the {len(query)} query images of {dataset.name!r} shows a person of the "
            f"gallery. Query persons: {_first(query.person_ids)}; gallery persons: "
            f"{_first(gallery.person_ids)}.",
            dataset,
        )
    if not dataset.cross_camera:
        raise RefusedDataset(
            f"None of the {len(query)} query images of {dataset.name!r} has a match that protocol "
            f"{dataset.protocol!r} counts: every match is of camera 1 and every query of camera 2, and these look "
            f"at the same place. {advice}",
            dataset,
        )
    cameras = np.union1d(query.camera_id, gallery.camera_id)
    where = f"all images are of camera {cameras[0]}" if len(cameras) == 1 else "no person has two"
    raise RefusedDataset(
        f"None of the {len(query)} query images of {dataset.name!r} has a match from another "
        f"camera: {where}, and protocol {dataset.protocol!r} ignores matches of the query's own "
        f"camera (here of {same_camera} queries). {advice}",
        dataset,
    )


def _first(values: np.ndarray, count: int = 5) -> str:
    shown = ", ".join(str(value) for value in values[:count])
    return f"{shown}, ..." if len(values) > count else shown
