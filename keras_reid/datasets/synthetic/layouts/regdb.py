"""The layout of RegDB: a folder per modality and person, and lists of ten splits in ``idx``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import new_folder, put
from keras_reid.datasets.synthetic.layouts._two_modalities import renumber, split_people
from keras_reid.datasets.synthetic.tree import write_whole

__all__ = ["FOLDERS", "image_name", "write", "write_lists"]

FOLDERS = ("Visible", "Thermal", "idx")


def image_name(modality: int, person: int, number: int, suffix: str = ".bmp") -> str:
    """Returns where an image lies in the tree.

    Args:
        modality: 0 visible, 1 thermal.
        person: Identity, from 1.
        number: Number of the image of this person in this modality, from 1.
        suffix: Ending of the file name.

    Returns:
        The path below the root, e.g. ``Thermal/17/person_t_00002_17.bmp``.
    """
    return f"{FOLDERS[modality]}/{person}/person_{'vt'[modality]}_{number:05d}_{person}{suffix}"


def write(root: Path, people: ReIDDataset, trials: int = 10, seed: int = 0) -> None:
    """Writes a data set with two modalities in this layout.

    Args:
        root: Where `RegDB` is made; images become bitmaps.
        people: What to write. Cameras are not kept: the layout knows one a modality.
        trials: How many splits to list. The first is that of ``people``.
        seed: Seed of the others.

    Raises:
        ValueError: The people do not fit in, or the tree is there already.
    """
    trials = check_positive_int("trials", trials)
    tables = split_people("regdb", people)
    base = new_folder(root / "RegDB")
    for folder in FOLDERS:
        (base / folder).mkdir()
    images: dict[tuple[int, int], list[str]] = {}
    labels = renumber(*tables)
    for table, persons in zip(tables, labels, strict=True):
        for row, person in enumerate(persons.tolist()):
            modality = int(table.modality[row])
            names = images.setdefault((modality, person), [])
            names.append(image_name(modality, person, len(names) + 1))
            target = base / names[-1]
            target.parent.mkdir(exist_ok=True)
            put(str(table.path[row]), target)
    train, test = (np.unique(persons).tolist() for persons in labels)
    write_lists(base, train, test, images, trials, seed)


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
                write_whole(root / "idx" / f"{part}_{name}_{trial}.txt", "".join(lines).encode())
