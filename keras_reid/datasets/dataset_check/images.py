"""Findings about files: missing, broken, odd, or the same picture twice."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset, has_match
from keras_reid.datasets.dataset_check.files import FileFacts
from keras_reid.datasets.dataset_check.finding import ERROR, NOTE, WARNING, Finding, finding
from keras_reid.datasets.table import ReIDTable

__all__ = ["SPLITS", "duplicates", "odd_images", "unreadable_files"]

SPLITS = ("train", "query", "gallery")
# Detectors give people of half these sizes no usable pixel; the benchmarks' crops are larger.
_TINY_WIDTH, _TINY_HEIGHT = 16, 32
# Height over width. A person who stands is 2 to 4; who sits, bends or is cut off, down to 1.
_SHAPES = (0.5, 8.0)
_COLOURS = {0: ("grey_image", "grey", "visible"), 1: ("coloured_thermal", "coloured", "thermal")}


def unreadable_files(files: Mapping[str, FileFacts]) -> Iterator[Finding]:
    """Yields the files that are missing, empty or cannot be decoded.

    Args:
        files: Path -> facts.

    Yields:
        Errors.

    Example:
        See `keras_reid.datasets.check`, which calls it.
    """
    missing = [path for path, facts in files.items() if facts.problem == "missing"]
    empty = [path for path, facts in files.items() if facts.problem == "empty"]
    broken = [f"{path} ({f.problem})" for path, f in files.items() if f.problem not in ("", "missing", "empty")]
    for code, what, cases in (
        ("missing_image", "do not exist", missing),
        ("empty_file", "hold no byte", empty),
        ("unreadable_image", "cannot be decoded", broken),
    ):
        if cases:
            yield finding(code, ERROR, f"{{n}} image files {what}.", cases)


def odd_images(dataset: ReIDDataset, files: Mapping[str, FileFacts]) -> Iterator[Finding]:
    """Yields images that can be read, but hardly are what they should be.

    Args:
        dataset: Their tables, for the modality.
        files: Path -> facts.

    Yields:
        Warnings.

    Example:
        See `keras_reid.datasets.check`, which calls it.
    """
    decoded = {path: facts for path, facts in files.items() if facts.size != (0, 0)}
    shapes = {path: f"{path} ({facts.size[0]} x {facts.size[1]})" for path, facts in decoded.items()}
    sizes = {path: facts.size for path, facts in decoded.items()}
    tiny = [path for path, (width, height) in sizes.items() if width < _TINY_WIDTH or height < _TINY_HEIGHT]
    small = set(tiny)
    odd = [
        path
        for path, (width, height) in sizes.items()
        if path not in small and not _SHAPES[0] <= height / width <= _SHAPES[1]
    ]
    for code, message, cases in (
        ("tiny_image", f"{{n}} images are narrower than {_TINY_WIDTH} or lower than {_TINY_HEIGHT} pixels.", tiny),
        (
            "odd_shape",
            f"{{n}} images are no shape of a person: height over width below {_SHAPES[0]:g} or above {_SHAPES[1]:g}.",
            odd,
        ),
    ):
        if cases:
            yield finding(code, WARNING, message, [shapes[path] for path in cases])
    for code, message, attribute in (
        ("blank_image", "{n} images show one colour and nothing else.", "blank"),
        (
            "turned_by_exif",
            "{n} images stand upright only if their EXIF orientation is followed; the pipeline reads them as stored.",
            "turned",
        ),
        (
            "more_than_8_bits",
            "{n} images have more than 8 bits per channel; the pipeline keeps the upper 8 of 16, so 12 or 14 bit "
            "cameras come out dark.",
            "deep",
        ),
    ):
        cases = [path for path, facts in decoded.items() if getattr(facts, attribute)]
        if cases:
            yield finding(code, WARNING, message, cases)
    yield from _colours(dataset, decoded)


def _colours(dataset: ReIDDataset, decoded: Mapping[str, FileFacts]) -> Iterator[Finding]:
    """Images whose colours are not those of their modality, if most of that modality are as expected."""
    modality = {
        str(path): int(kind)
        for table in _tables(dataset)
        for path, kind in zip(table.path, table.modality, strict=True)
    }
    for kind, (code, odd, named) in _COLOURS.items():
        seen = {path: facts for path, facts in decoded.items() if modality[path] == kind and not facts.blank}
        cases = [path for path, facts in seen.items() if facts.grey == (kind == 0)]
        if cases and 2 * len(cases) < len(seen):
            share = f"{{n}} of {len(seen):,} {named} images"
            yield finding(code, WARNING, f"{share} are {odd}. Are they of another kind of camera?", cases)


def duplicates(dataset: ReIDDataset, files: Mapping[str, FileFacts]) -> Iterator[Finding]:
    """Yields files of the same bytes, by what they spoil. Copies that were saved anew are not found.

    Args:
        dataset: The tables.
        files: Path -> facts.

    Yields:
        Errors, a warning and a note.

    Example:
        See `keras_reid.datasets.check`, which calls it.
    """
    groups: dict[bytes, list[tuple[str, int]]] = {}
    for split, table in zip(SPLITS, _tables(dataset), strict=True):
        for row, path in enumerate(table.path):
            # A file that was not read is at least the same as itself.
            groups.setdefault(files[str(path)].digest or path.encode(), []).append((split, row))
    kinds: dict[str, list[str]] = {}
    for copies in groups.values():
        if len(copies) > 1:
            # Every copy is shown by path; the same row twice (a list with a repeated line) has one path.
            paths = dict.fromkeys(str(getattr(dataset, split).path[row]) for split, row in copies)
            shown = " = ".join(paths) if len(paths) > 1 else f"{next(iter(paths))} (listed {len(copies)} times)"
            kinds.setdefault(_kind_of(dataset, copies), []).append(shown)
    for code, severity, message in (
        ("duplicate_in_train_and_test", ERROR, "{n} pictures are in the training split and in a test split."),
        ("duplicate_of_two_persons", ERROR, "{n} pictures are given to more than one person."),
        (
            "query_in_gallery",
            ERROR,
            "{n} query pictures are in the gallery too, where the protocol lets each find itself.",
        ),
        (
            "query_in_gallery_ignored",
            NOTE,
            "{n} query pictures are in the gallery too; the protocol leaves them out of their own search.",
        ),
        ("duplicate_image", WARNING, "{n} pictures are there more than once in a split, for the same person."),
    ):
        if code in kinds:
            yield finding(code, severity, message, kinds[code])


def _kind_of(dataset: ReIDDataset, copies: Iterable[tuple[str, int]]) -> str:
    """The code for one picture's copies: the worst that is true of them."""
    rows: dict[str, list[int]] = {}
    for split, row in copies:
        rows.setdefault(split, []).append(row)
    if "train" in rows and len(rows) > 1:
        return "duplicate_in_train_and_test"
    tables = {split: getattr(dataset, split).take(found) for split, found in rows.items()}
    if len(np.unique(np.concatenate([table.person_id for table in tables.values()]))) > 1:
        return "duplicate_of_two_persons"
    if len(rows) == 1:
        return "duplicate_image"
    finds_itself = has_match(tables["query"], tables["gallery"], dataset.cross_camera).any()
    return "query_in_gallery" if finds_itself else "query_in_gallery_ignored"


def _tables(dataset: ReIDDataset) -> tuple[ReIDTable, ...]:
    return tuple(getattr(dataset, split) for split in SPLITS)
