"""Several data sets as one: training on many sources, testing on one that was left out."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["SMALL_SETS", "combine", "leave_one_out"]

SMALL_SETS = ("grid", "ilids", "prid2011", "viper")
"""The data sets that protocol 1 of domain generalisation tests on."""

_USES = ("train", "all")
_DISTRACTOR = 0


def combine(
    datasets: Sequence[ReIDDataset],
    name: str | None = None,
    *,
    target: ReIDDataset | None = None,
    use: str = "train",
) -> ReIDDataset:
    """Puts the training images of several data sets into one table; nobody is merged with anybody of another source.

    Identities are numbered anew, source by source, above those of the target. So are cameras and tracklets; unknown
    ones (-1) stay unknown. `domain` is the number of the source, in the order given; a source that is itself combined
    keeps its sources apart.

    Args:
        datasets: The sources, one or more.
        name: The name of the result; by default those of the sources with "+" between them.
        target: Whose query, gallery and protocol to take over; without it there is nothing to test on.
        use: ``"train"`` takes the training images of the sources, ``"all"`` their query and gallery too. Distractors
            (person 0 of a gallery that no query shows) and junk (-1) are no identities and are left out.

    Returns:
        The data set. Its notes say who is which domain.

    Raises:
        ValueError: There is no source, one has no images of this use, or `use` is unknown.
        TypeError: A source is no `ReIDDataset`.

    Example:
        >>> from keras_reid.datasets import ReIDDataset, ReIDTable, combine
        >>> nothing = ReIDTable.from_columns([], [])
        >>> first = ReIDDataset("first", ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [7, 9], [0, 1]), nothing, nothing)
        >>> second = ReIDDataset("second", ReIDTable.from_columns(["/c.jpg"], [7], [0]), nothing, nothing)
        >>> table = combine([first, second]).train
        >>> table.person_id, table.camera_id, table.domain
        (array([1, 2, 3], dtype=int32), array([0, 1, 2], dtype=int32), array([0, 0, 1], dtype=int32))

    Reference:
        The union of the sources' label sets is how the field trains on several sources, e.g. Zhao et al., "Learning to
        Generalize Unseen Domains via Memory-based Multi-Source Meta-Learning for Person Re-Identification", CVPR 2021.
        Leaving distractors out of ``"all"`` is our choice; some code bases count them as one identity.
    """
    if use not in _USES:
        raise unknown_name("use of the sources", use, _USES)
    sources = list(datasets)
    if not sources:
        raise ValueError("`datasets` must hold at least one source. Received: none.")
    for source in (*sources, *([] if target is None else [target])):
        if not isinstance(source, ReIDDataset):
            raise TypeError(f"A source must be a ReIDDataset. Received: {type(source).__name__}.")
    nothing = ReIDTable.from_columns([], [])
    query, gallery = (nothing, nothing) if target is None else (target.query, target.gallery)
    tested = np.concatenate([query.person_id, gallery.person_id, [0]])
    first = {"person_id": int(tested.max()) + 1, "camera_id": 0, "tracklet": 0, "domain": 0}
    tables, notes = [], []
    for source in sources:
        table = source.train if use == "train" else _all_images(source)
        if not len(table):
            images = "training images" if use == "train" else "images"
            raise ValueError(
                f"The source {source.name!r} has no {images}: nothing can be learned from it. Leave it out."
            )
        columns = {column: _renumbered(column, getattr(table, column), start) for column, start in first.items()}
        domains = np.unique(columns["domain"])
        number = str(domains[0]) if len(domains) == 1 else f"{domains[0]} to {domains[-1]}"
        notes.append(f"domain {number} is {source.name}: {table.num_persons} persons, {len(table)} images")
        for column, values in columns.items():
            first[column] = max(first[column], int(values.max()) + 1)
        tables.append(ReIDTable.from_columns(table.path, time_s=table.time_s, modality=table.modality, **columns))
    return ReIDDataset(
        name="+".join(source.name for source in sources) if name is None else name,
        train=ReIDTable.concatenate(tables),
        query=query,
        gallery=gallery,
        protocol="market1501" if target is None else target.protocol,
        notes=(*notes, *(() if target is None else target.notes)),
        trials=() if target is None else target.trials,
    )


def leave_one_out(
    datasets: Mapping[str, ReIDDataset], protocol: int = 2, *, targets: Sequence[str] | None = None
) -> Iterator[tuple[str, ReIDDataset]]:
    """Yields the experiments of a protocol of domain generalisation: train on the sources, test on one unseen set.

    - Protocol 1: all images of the large sets -> each of the small ones (`SMALL_SETS`).
    - Protocol 2: the training images of all but one -> that one.
    - Protocol 3: all images of all but one -> that one.

    A set without queries (CUHK-SYSU, RandPerson) only ever trains.

    Args:
        datasets: Name -> data set; names as `keras_reid.datasets.load` knows them.
        protocol: 1, 2 or 3.
        targets: Names to test on. By default the small sets in protocol 1, and every set with queries in 2 and 3.

    Returns:
        An iterator of (name of the target, data set to train and test on).

    Raises:
        ValueError: The protocol or a target is unknown, a target has no queries, or no source or target is there.

    Example:
        >>> from keras_reid.datasets import ReIDDataset, ReIDTable, leave_one_out
        >>> def site(letter):
        ...     train, query, gallery = (
        ...         ReIDTable.from_columns([f"/{letter}{person}{camera}.jpg"], [person], [camera])
        ...         for person, camera in ((1, 0), (2, 0), (2, 1))
        ...     )
        ...     return ReIDDataset(letter, train, query, gallery)
        >>> for target, dataset in leave_one_out({"x": site("x"), "y": site("y"), "z": site("z")}):
        ...     print(target, "<-", dataset.name, len(dataset.train))
        x <- y+z->x 2
        y <- x+z->y 2
        z <- x+y->z 2

    Reference:
        The protocols as META (Xu et al., "Mimic Embedding via Adaptive Aggregation: Learning Generalizable Person
        Re-identification", ECCV 2022) and later code number them.
    """
    if protocol not in (1, 2, 3):
        raise ValueError(f"`protocol` must be 1, 2 or 3. Received: {protocol!r}.")
    for name in targets or ():
        if name not in datasets:
            raise unknown_name("target", name, datasets)
        if not len(datasets[name].query):
            raise ValueError(f"The target {name!r} has no queries; it is for training only. Leave it out of `targets`.")
    if targets is None:
        testable = [name for name in datasets if len(datasets[name].query)]
        targets = [name for name in testable if protocol != 1 or name in SMALL_SETS]
    if not targets or not set(datasets) - set(targets if protocol == 1 else targets[:1]):
        kinds = (
            "a large set to train on and a small one to test on" if protocol == 1 else "two sets, one of them tested"
        )
        raise ValueError(
            f"Protocol {protocol} needs {kinds}. Received: {sorted(datasets)}, of which {sorted(targets)} are tested. "
            "`targets` can name others."
        )
    return _experiments(datasets, protocol, list(targets))


def _experiments(
    datasets: Mapping[str, ReIDDataset], protocol: int, targets: list[str]
) -> Iterator[tuple[str, ReIDDataset]]:
    for target in targets:
        left_out = targets if protocol == 1 else [target]
        names = [name for name in datasets if name not in left_out]
        yield (
            target,
            combine(
                [datasets[name] for name in names],
                f"{'+'.join(names)}->{target}",
                target=datasets[target],
                use="train" if protocol == 2 else "all",
            ),
        )


def _all_images(source: ReIDDataset) -> ReIDTable:
    """Every image of an identity: of all splits, without distractors and junk."""
    table = ReIDTable.concatenate([source.train, source.query, source.gallery])
    asked = np.union1d(source.train.person_id, source.query.person_id)
    no_identity = (table.person_id < 0) | ((table.person_id == _DISTRACTOR) & (_DISTRACTOR not in asked))
    return table.where(~no_identity)


def _renumbered(column: str, values: np.ndarray, start: int) -> np.ndarray:
    """Numbers as start, start + 1, ..., in their order; unknown cameras and tracklets (-1) as they are."""
    known = (values >= 0) | (column == "person_id")  # a reader may give a person any number
    result = np.array(values, dtype=np.int64)
    result[known] = start + np.unique(values[known], return_inverse=True)[1]
    return result
