"""Looks for what will spoil an experiment, before it is run."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.dataset_check.files import read_files
from keras_reid.datasets.dataset_check.finding import ERROR, NOTE, WARNING, Finding
from keras_reid.datasets.dataset_check.images import SPLITS, duplicates, odd_images, unreadable_files
from keras_reid.datasets.dataset_check.labels import cameras_and_times, identities, queries

__all__ = ["DatasetCheck", "Finding", "check"]

_ORDER = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class DatasetCheck:
    """The outcome of `check`; printed, it is a text for people.

    Attributes:
        summary: The dataset's own summary.
        counts: Split -> persons, images and cameras.
        findings: What was found: errors, then warnings, then notes.

    Example:
        See `check`, which returns it.
    """

    summary: str
    counts: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; there may be warnings."""
        return not any(finding.severity == ERROR for finding in self.findings)

    def to_dict(self) -> dict[str, object]:
        """Returns plain values, ready for JSON: `ok`, `counts` and `findings`.

        Returns:
            The dictionary.
        """
        return {
            "ok": self.ok,
            "counts": self.counts,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def __str__(self) -> str:
        severities = [finding.severity for finding in self.findings]
        said = ", ".join(_plural(severities.count(severity), severity) for severity in _ORDER if severity in severities)
        return "\n".join([self.summary, "", *map(str, self.findings), said or "nothing found"])


def check(
    dataset: ReIDDataset, decode: bool = True, progress: Callable[[int, int], None] | None = None
) -> DatasetCheck:
    """Checks a dataset: broken, odd and repeated images, people on both sides of the split, useless queries.

    Every file is read once, by several threads. The list of all codes is in the documentation, on the
    page about checking.

    A reader refuses a dataset that cannot be used at all. The error is a `RefusedDataset`, and its
    `dataset` can be checked.

    Args:
        dataset: What a reader returned.
        decode: Whether to read and decode every image; else only missing and empty files are found.
        progress: Called with (files done, in all) now and then.

    Returns:
        The findings.

    Example:
        >>> from keras_reid.datasets import ReIDDataset, ReIDTable, check
        >>> empty = ReIDTable.from_columns([], [])
        >>> report = check(ReIDDataset("mine", ReIDTable.from_columns(["/no.jpg"], [1]), empty, empty))
        >>> report.ok
        False
        >>> [(finding.severity, finding.code) for finding in report.findings]
        [('error', 'missing_image'), ('warning', 'single_image'), ('note', 'no_queries')]
    """
    paths = dict.fromkeys(str(path) for split in SPLITS for path in getattr(dataset, split).path)
    files = read_files(list(paths), decode, progress)
    findings = [
        *unreadable_files(files),
        *identities(dataset),
        *duplicates(dataset, files),
        *odd_images(dataset, files),
        *cameras_and_times(dataset),
        *queries(dataset),
    ]
    counts = {}
    for split in SPLITS:
        table = getattr(dataset, split)
        counts[split] = {"persons": table.num_persons, "images": len(table), "cameras": table.num_cameras}
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
    return DatasetCheck(dataset.summary(), counts, tuple(ordered))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
