"""Looks for what will spoil an experiment, before it is run."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset, has_match
from keras_reid.datasets.table import ReIDTable

__all__ = ["DatasetCheck", "Finding", "check"]

_SPLITS = ("train", "query", "gallery")


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        code: A short name that stays the same between versions, e.g. `"unreadable_image"`.
        is_error: Whether an experiment would fail or mean nothing, not only be weaker.
        message: One sentence with the numbers.
        examples: The first cases, as text.
    """

    code: str
    is_error: bool
    message: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        examples = f" E.g. {', '.join(self.examples)}." if self.examples else ""
        return f"{'error' if self.is_error else 'warning'}: {self.message}{examples}"


@dataclass(frozen=True)
class DatasetCheck:
    """The outcome of `check`; printed, it is a text for people.

    Attributes:
        summary: The dataset's own summary.
        counts: Split -> persons, images and cameras.
        findings: What was found, errors first.
    """

    summary: str
    counts: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; there may be warnings."""
        return not any(finding.is_error for finding in self.findings)

    def to_dict(self) -> dict[str, object]:
        """Returns plain values, ready for JSON: `ok`, `counts` and `findings`."""
        return {
            "ok": self.ok,
            "counts": self.counts,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def __str__(self) -> str:
        return "\n".join([self.summary, *map(str, self.findings or ["nothing found"])])


def check(dataset: ReIDDataset, decode: bool = True) -> DatasetCheck:
    """Checks a dataset for what the protocol will discard, what cannot be learned from, bad files.

    An identity in train and test never gets here: `ReIDDataset` refuses it.

    Args:
        dataset: What a reader returned.
        decode: Whether to decode every image, which finds truncated files; else only missing files
            are found.

    Returns:
        The findings.

    Example:
        >>> from keras_reid.datasets import ReIDDataset, ReIDTable, check
        >>> empty = ReIDTable.from_columns([], [])
        >>> report = check(ReIDDataset("mine", ReIDTable.from_columns(["/no.jpg"], [1]), empty, empty))
        >>> report.ok
        False
        >>> [finding.code for finding in report.findings]
        ['missing_image', 'single_image', 'no_queries']
    """
    findings = [*_files(dataset, decode), *_training(dataset.train), *_queries(dataset)]
    counts = {}
    for split in _SPLITS:
        table: ReIDTable = getattr(dataset, split)
        counts[split] = {
            "persons": table.num_persons,
            "images": len(table),
            "cameras": table.num_cameras,
        }
    ordered = sorted(findings, key=lambda finding: not finding.is_error)
    return DatasetCheck(dataset.summary(), counts, tuple(ordered))


def _files(dataset: ReIDDataset, decode: bool) -> Iterable[Finding]:
    from PIL import Image

    missing, unreadable = [], []
    for path in dict.fromkeys(str(p) for split in _SPLITS for p in getattr(dataset, split).path):
        if not Path(path).is_file():
            missing.append(path)
        elif decode:
            try:
                with Image.open(path) as image:
                    image.load()  # `verify` does not notice a truncated JPEG
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                unreadable.append(f"{path} ({error})")
    if missing:
        yield _finding("missing_image", True, f"{len(missing)} image files do not exist.", missing)
    if unreadable:
        message = f"{len(unreadable)} image files cannot be decoded."
        yield _finding("unreadable_image", True, message, unreadable)


def _training(train: ReIDTable) -> Iterable[Finding]:
    persons, counts = np.unique(train.person_id, return_counts=True)
    single = persons[counts == 1]
    if single.size:
        message = f"{single.size} of {len(persons)} training persons have one image only."
        yield _finding("single_image", False, message, single)
    if not train.num_cameras:
        return
    pairs = np.unique(np.stack([train.person_id, train.camera_id]), axis=1)
    persons, cameras = np.unique(pairs[0], return_counts=True)
    one = persons[cameras == 1]
    if one.size:
        message = f"{one.size} of {len(persons)} training persons are seen by one camera only."
        yield _finding("one_camera", False, message, one)


def _queries(dataset: ReIDDataset) -> Iterable[Finding]:
    query, gallery = dataset.query, dataset.gallery
    if not len(query):
        yield Finding("no_queries", False, "There are no queries: nothing can be evaluated.")
        return
    cross_camera = dataset.cross_camera
    if cross_camera and (query.camera_id < 0).any():
        message = (
            "Queries have no camera, and the protocol ignores matches of the query's own camera; "
            "use protocol 'no_camera'."
        )
        yield _finding("camera_unknown", True, message, query.path[query.camera_id < 0])
    lost = ~has_match(query, gallery, cross_camera)
    if lost.any():
        rule = " from another camera" if cross_camera else ""
        message = (
            f"{np.count_nonzero(lost)} of {len(query)} queries have no match{rule} in the gallery; "
            "they are left out of every metric."
        )
        yield _finding("query_without_match", bool(lost.all()), message, query.path[lost])


def _finding(code: str, is_error: bool, message: str, cases: Iterable[object]) -> Finding:
    return Finding(code, is_error, message, tuple(str(case) for case in list(cases)[:3]))
