"""Findings about identities, cameras and times: what cannot be learned from, and what will not be counted."""

from collections.abc import Iterator

import numpy as np

from keras_reid.datasets.dataset import ReIDDataset, has_match
from keras_reid.datasets.dataset_check.finding import ERROR, NOTE, WARNING, Finding, finding
from keras_reid.datasets.table import ReIDTable

__all__ = ["cameras_and_times", "identities", "queries"]

_JUNK = -1


def identities(dataset: ReIDDataset) -> Iterator[Finding]:
    """Yields who is on both sides of the split, and who cannot be learned well from the training split.

    Args:
        dataset: The tables.

    Yields:
        An error and warnings.

    Example:
        See `keras_reid.datasets.check`, which calls it.
    """
    train = dataset.train
    test_ids = np.union1d(dataset.query.person_id, dataset.gallery.person_id)
    shared = np.intersect1d(train.person_id, test_ids)
    if shared.size:
        yield finding(
            "person_in_train_and_test",
            ERROR,
            "{n} persons are in the training split and in a test split; if they are different people with equal "
            "numbers, give those of one split other numbers.",
            shared,
        )
    if (train.person_id == _JUNK).any():
        junk = train.path[train.person_id == _JUNK]
        yield finding("junk_in_train", WARNING, "{n} training images are junk (-1), to be learned as one person.", junk)
    persons, counts = np.unique(train.person_id, return_counts=True)
    if (counts == 1).any():
        message = f"{{n}} of {len(persons):,} training persons have one image only."
        yield finding("single_image", WARNING, message, persons[counts == 1])
    if train.num_cameras > 1:
        known = train.where(train.camera_id >= 0)
        pairs = np.unique(np.stack([known.person_id, known.camera_id]), axis=1)
        seen, cameras = np.unique(pairs[0], return_counts=True)
        if (cameras == 1).any():
            message = f"{{n}} of {len(persons):,} training persons are seen by one camera only."
            yield finding("one_camera", WARNING, message, seen[cameras == 1])


def cameras_and_times(dataset: ReIDDataset) -> Iterator[Finding]:
    """Yields images whose camera or time is not known though others' is, and cameras that nobody is looked for from.

    Args:
        dataset: The tables.

    Yields:
        An error, warnings and a note.

    Example:
        See `keras_reid.datasets.check`, which calls it.
    """
    query, gallery = dataset.query, dataset.gallery
    for split, table in (("training", dataset.train), ("query", query), ("gallery", gallery)):
        unknown = table.camera_id < 0
        by_camera = dataset.protocol != "no_camera" and split != "training"
        if by_camera and unknown.any():
            message = (
                f"{{n}} of {len(table):,} {split} images have no camera, and protocol {dataset.protocol!r} goes by "
                "cameras; use 'no_camera'."
            )
            yield finding("camera_unknown", ERROR if split == "query" else WARNING, message, table.path[unknown])
        elif unknown.any() and not unknown.all():
            message = f"{{n}} of {len(table):,} {split} images have no camera, the others have."
            yield finding("camera_unknown", WARNING, message, table.path[unknown])
    times = np.concatenate([query.time_s, gallery.time_s])
    untimed = np.isnan(times)
    if untimed.any() and not untimed.all():
        message = f"{{n}} of {len(times):,} query and gallery images have no time, the others have."
        yield finding("time_missing", WARNING, message, np.concatenate([query.path, gallery.path])[untimed])
    # Where queries and gallery have no camera in common (visible and thermal), that is the protocol.
    if np.intersect1d(query.camera_id, gallery.camera_id).size:
        unasked = np.setdiff1d(gallery.camera_id[gallery.camera_id >= 0], query.camera_id)
        if unasked.size:
            yield finding("camera_without_query", NOTE, "{n} cameras of the gallery have no query.", unasked)


def queries(dataset: ReIDDataset) -> Iterator[Finding]:
    """Yields how many queries the protocol discards and by which rule, and whom nobody looks for.

    The codes are the reasons in ``retrieval.Metrics.invalid``.

    Args:
        dataset: The tables.

    Yields:
        Errors, warnings and notes.

    Example:
        See `keras_reid.datasets.check`, which calls it.
    """
    query, gallery = dataset.query, dataset.gallery
    if not len(query):
        yield Finding("no_queries", NOTE, 0, "There are no queries: nothing can be evaluated.")
        return
    junk = query.person_id == _JUNK
    absent = ~has_match(query, gallery, cross_camera=False) & ~junk
    ignored = ~dataset.findable & ~absent & ~junk
    severity = ERROR if (junk | absent | ignored).all() else WARNING
    for code, lost, why in (
        ("junk", junk, "are junk (person -1)"),
        ("identity_not_in_gallery", absent, "show a person who is not in the gallery"),
        ("matches_ignored", ignored, f"{_rule(dataset)}, which protocol {dataset.protocol!r} ignores"),
    ):
        if lost.any():
            message = f"{{n}} of {len(query):,} queries {why}; they are left out of every metric."
            yield finding(code, severity, message, query.path[lost])
    yield from _bystanders(query, gallery)


def _rule(dataset: ReIDDataset) -> str:
    return "have matches of their own camera only" if dataset.cross_camera else "have matches of the same place only"


def _bystanders(query: ReIDTable, gallery: ReIDTable) -> Iterator[Finding]:
    """Gallery images of nobody who is looked for."""
    junk = gallery.person_id == _JUNK
    if junk.any():
        yield finding(
            "junk_in_gallery", NOTE, "{n} gallery images are junk (person -1): never judged.", gallery.path[junk]
        )
    others = ~np.isin(gallery.person_id, query.person_id) & ~junk
    if others.any():
        persons = np.unique(gallery.person_id[others])
        message = f"{{n}} gallery images of {len(persons):,} persons show nobody who is looked for (distractors)."
        yield finding("distractors", NOTE, message, gallery.path[others])
