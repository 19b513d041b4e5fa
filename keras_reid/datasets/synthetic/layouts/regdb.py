"""The layout of RegDB: a folder per modality and person, and lists of ten splits in ``idx``."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._two_modalities import copy_images, renumber, split_people, start_tree
from keras_reid.datasets.synthetic.tree import put

__all__ = ["FOLDERS", "image_name", "write", "write_lists"]

FOLDERS = ("Visible", "Thermal", "idx")


def image_name(modality: int, person: int, number: int, suffix: str = ".jpg") -> str:
    """Returns where an image lies in the tree.

    Args:
        modality: 0 visible, 1 thermal.
        person: Identity, from 1.
        number: Number of the image of this person in this modality, from 1.
        suffix: Ending of the file name.

    Returns:
        The path below the root, e.g. ``Thermal/17/person_t_00002_17.jpg``.
    """
    return f"{FOLDERS[modality]}/{person}/person_{'vt'[modality]}_{number:05d}_{person}{suffix}"


def write(root: Path, people: ReIDDataset, trials: int = 10, seed: int = 0) -> None:
    """Writes a data set with two modalities in this layout.

    Args:
        root: Where; must not hold such a tree yet.
        people: What to write. Cameras are not kept: the layout knows one a modality.
        trials: How many splits to list. The first is that of ``people``.
        seed: Seed of the others.

    Raises:
        ValueError: The people do not fit in, or the tree is there already.
    """
    trials = check_positive_int("trials", trials)
    tables = split_people("regdb", people)
    start_tree("regdb", root, FOLDERS)
    counts: Counter[tuple[int, int]] = Counter()
    sources, names = [], []
    images: dict[tuple[int, int], list[str]] = {}
    labels = renumber(*tables)
    for table, persons in zip(tables, labels, strict=True):
        for row, person in enumerate(persons.tolist()):
            source, modality = str(table.path[row]), int(table.modality[row])
            counts[modality, person] += 1
            sources.append(source)
            names.append(image_name(modality, person, counts[modality, person], Path(source).suffix))
            images.setdefault((modality, person), []).append(names[-1])
    copy_images(root, sources, names)
    train, test = (np.unique(persons).tolist() for persons in labels)
    write_lists(root, train, test, images, trials, seed)


def write_lists(
    root: Path,
    train: Sequence[int],
    test: Sequence[int],
    images: Mapping[tuple[int, int], Sequence[str]],
    trials: int = 10,
    seed: int = 0,
) -> None:
    """Writes what ``idx`` holds: a line per image, its path and the identity's number from 0 in this half.

    Args:
        root: The tree.
        train: Identities to train on in the first split.
        test: Identities to test on in it. The other splits deal all identities anew, as many to each half.
        images: (modality, identity) -> paths below the root.
        trials: How many splits.
        seed: Seed of the splits.
    """
    for trial in range(1, trials + 1):
        persons = np.array([*train, *test])
        if trial > 1:
            persons = np.random.default_rng((seed, trial)).permutation(persons)
        for part, half in (("train", persons[: len(train)]), ("test", persons[len(train) :])):
            for modality, name in enumerate(("visible", "thermal")):
                lines = [
                    f"{path} {label}\n"
                    for label, person in enumerate(half.tolist())
                    for path in images.get((modality, person), ())
                ]
                put(root / "idx" / f"{part}_{name}_{trial}.txt", "".join(lines).encode())
