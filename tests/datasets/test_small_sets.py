"""The four small sets of domain generalisation: VIPeR, PRID 2011, GRID, i-LIDS."""

from pathlib import Path

import numpy as np
import pytest

from keras_reid import datasets
from keras_reid.datasets import grid, ilids, prid2011, viper
from keras_reid.datasets.synthetic.layouts import write_layout

NAMES = ("grid", "ilids", "prid2011", "viper")
READERS = {"grid": grid, "ilids": ilids, "prid2011": prid2011, "viper": viper}


def touch(root: Path, names) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def whole(name: str) -> list[str]:
    """The file names of the real data, as many as published."""
    if name == "viper":
        return [f"VIPeR/cam_{side}/{person:03d}_{angle}.bmp" for person in range(632) for side, angle in ("a0", "b9")]
    if name == "prid2011":
        return [
            f"prid_2011/single_shot/cam_{side}/person_{person:04d}.png"
            for side, count in (("a", 385), ("b", 749))
            for person in range(1, count + 1)
        ]
    if name == "ilids":
        return [f"i-LIDS_Pedestrian/Persons/{person:04d}{n:03d}.jpg" for person in range(1, 120) for n in range(1, 5)]
    pairs = [
        f"{folder}/{person:04d}_{cam}_7.jpeg"
        for person in range(1, 251)
        for folder, cam in (("probe", 1), ("gallery", 2))
    ]
    return [f"underground_reid/{name}" for name in (*pairs, *(f"gallery/0000_3_{n}.jpeg" for n in range(775)))]


@pytest.fixture(scope="module", params=NAMES)
def full(request, tmp_path_factory):
    return request.param, touch(tmp_path_factory.mktemp(request.param), whole(request.param))


def test_the_published_counts_and_splits(full):
    name, root = full
    dataset = datasets.load(name, root)
    drawn = ("features_and_partitions.mat is not there: the partition was drawn by us, not by the authors.",)
    assert dataset.notes == (drawn if name == "grid" else ())
    persons = {"grid": (125, 125, 126), "ilids": (59, 60, 60), "prid2011": (100, 100, 649), "viper": (316, 316, 316)}
    images = {"grid": (250, 125, 900), "ilids": (236, 60, 60), "prid2011": (200, 100, 649), "viper": (632, 316, 316)}
    tables = (dataset.train, dataset.query, dataset.gallery)
    assert tuple(table.num_persons for table in tables) == persons[name]
    assert tuple(len(table) for table in tables) == images[name]
    assert dataset.findable.all()


def test_every_query_has_one_right_answer(full):
    name, root = full
    dataset = datasets.load(name, root, trial=3)
    right = dataset.query.person_id[:, None] == dataset.gallery.person_id[None, :]
    assert (right.sum(axis=1) == 1).all()
    if name != "ilids":
        same_camera = dataset.query.camera_id[:, None] == dataset.gallery.camera_id[None, :]
        assert not (right & same_camera).any()


def test_ten_trials_differ_and_each_is_always_the_same(full):
    name, root = full
    first = [datasets.load(name, root, trial=trial) for trial in range(10)]
    assert len({tuple(dataset.query.person_id) for dataset in first}) == 10
    again = datasets.load(name, root, trial=7)
    for split in ("train", "query", "gallery"):
        assert getattr(again, split).path.tolist() == getattr(first[7], split).path.tolist()
    tested = np.concatenate([dataset.query.person_ids for dataset in first])
    assert np.unique(tested, return_counts=True)[1].max() < 11  # nobody is always tested, as halves are drawn
    for trial in (-1, 10, 1.5, True):
        with pytest.raises(ValueError, match=r"`trial` must be an integer from 0 to 9: .* tested by 10 random splits"):
            datasets.load(name, root, trial=trial)


def test_an_incomplete_copy_says_so(full, tmp_path):
    name, _ = full
    names = whole(name)
    touch(tmp_path, names[:-1] if name != "viper" else names[:-2])
    assert "Is the copy complete and unmodified?" in datasets.load(name, tmp_path).notes[0]


@pytest.mark.parametrize("name", NAMES)
def test_synthetic_people_in_the_layout_are_read_back(name, people, tmp_path):
    root = write_layout(name, tmp_path / "new", people)
    dataset = datasets.load(name, root)
    assert dataset.name == name and dataset.notes == ()
    assert len(dataset.train) and len(dataset.query) and len(dataset.gallery)
    assert datasets.check(dataset).ok
    with pytest.raises(ValueError, match="is there already"):
        write_layout(name, root, people)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_roots_and_names(name, tmp_path):
    with pytest.raises(ValueError, match="Expected the folder"):
        datasets.load(name, tmp_path)
    touch(tmp_path, whole(name)[::-1][:900])
    root = touch(tmp_path, whole(name)[:40])
    first = next(path for path in root.rglob("*.*") if path.is_file())
    touch(first.parent, ["x.jpg"])
    with pytest.raises(ValueError, match=r"1 of .* file names in .* do not parse: x\.jpg"):
        datasets.load(name, root)


def test_viper_needs_pairs(tmp_path):
    root = touch(
        tmp_path, ["cam_a/001_0.bmp", "cam_b/001_9.bmp", "cam_a/002_0.bmp", "cam_b/003_9.bmp", "cam_b/001_45.bmp"]
    )
    with pytest.raises(ValueError, match=r"persons \[2, 3\] are before one camera only, and \[1\] have several images"):
        viper.load(root)


def test_too_few_persons(tmp_path):
    root = touch(tmp_path, ["cam_a/001_0.bmp", "cam_b/001_9.bmp"])
    with pytest.raises(ValueError, match=r"VIPeR needs two persons at least, .* Received: 1\."):
        viper.load(root)


def test_prid_s_persons_above_200_are_different_people(tmp_path):
    names = [f"cam_{side}/person_{person:04d}.png" for side in "ab" for person in (1, 2, 3, 200, 201, 202)]
    dataset = prid2011.load(touch(tmp_path, names))
    assert sorted([*dataset.train.person_ids, *dataset.query.person_ids]) == [1, 2, 3, 200]
    assert dataset.gallery.person_ids[-2:].tolist() == [201, 202]
    assert (dataset.gallery.camera_id == 1).all()


def test_ilids_has_no_cameras_and_trains_on_persons_with_one_image(tmp_path):
    names = [f"Persons/000{person}00{n}.jpg" for person, count in ((1, 3), (2, 3), (3, 1)) for n in range(1, count + 1)]
    dataset = ilids.load(touch(tmp_path, names))
    assert dataset.protocol == "no_camera"
    assert (dataset.train.camera_id == -1).all()
    assert 3 in dataset.train.person_id
    assert dataset.query.path[0] != dataset.gallery.path[0]


def test_grid_follows_the_authors_partitions(people, tmp_path):
    root = write_layout("grid", tmp_path / "with", people)
    from scipy.io import loadmat

    cells = loadmat(root / "underground_reid" / "features_and_partitions.mat")["trainIdxAll"]
    for trial in (0, 9):
        expected = cells[0, trial][0, 0][2].ravel()  # as the field's readers find them
        assert grid.load(root, trial=trial).train.person_ids.tolist() == expected.tolist()
    drawn = grid.load(write_layout("grid", tmp_path / "without", people, partitions=False))
    assert "drawn by us" in drawn.notes[0]
    assert (drawn.gallery.person_id == 0).any() and not (drawn.train.person_id == 0).any()


def test_grid_partitions_that_do_not_fit(people, tmp_path):
    from scipy.io import savemat

    root = write_layout("grid", tmp_path / "new", people)
    file = root / "underground_reid" / "features_and_partitions.mat"
    savemat(file, {"other": 1})
    with pytest.raises(ValueError, match=r"must hold `trainIdxAll`, a cell for each of 10 partitions\. Received: 0"):
        grid.load(root)
    cells = np.empty((1, 10), dtype=object)
    cells[:] = [[{"a": 0, "b": 0, "personIdx": [1, 99]}] * 10]
    savemat(file, {"trainIdxAll": cells})
    with pytest.raises(ValueError, match=r"Received: 2 persons, 1 of them without a probe image"):
        grid.load(root)


def test_layouts_need_people_before_two_cameras(people, tmp_path):
    import dataclasses

    nobody = people.train.take([0])
    few = dataclasses.replace(people, train=nobody, query=nobody.take([]), gallery=nobody.take([]))
    for name in ("viper", "prid2011", "grid"):
        with pytest.raises(ValueError, match=rf"layout '{name}' needs \d persons before two cameras\. Received: 0"):
            write_layout(name, tmp_path, few)
