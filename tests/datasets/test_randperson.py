from pathlib import Path

import pytest

from keras_reid import datasets
from keras_reid.datasets import randperson
from keras_reid.datasets.synthetic.layouts import write_layout


def tree(root: Path, *names: str) -> Path:
    folder = root / "randperson_subset"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return root


def test_reads_every_column(tmp_path):
    names = ["000000_s00_c01_f000024.jpg", "000007_s02_c00_f000048.jpg", "000007_s10_c03_f000001.jpg"]
    dataset = randperson.load(tree(tmp_path, *names))
    assert [Path(path).name for path in dataset.train.path] == names
    assert dataset.train.person_id.tolist() == [0, 7, 7]
    assert dataset.train.camera_id.tolist() == [1, 4, 18]
    assert dataset.train.time_s.tolist() == [1.0, (340000 + 48) / 24, 3490001 / 24]
    assert (len(dataset.query), len(dataset.gallery), dataset.notes) == (0, 0, ())
    assert len(randperson.load(tree(tmp_path / "data" / "RandPerson", *names).parent).train) == 3


def test_there_are_19_cameras():
    assert (len(randperson.CAMERAS_OF_SCENES), sum(randperson.CAMERAS_OF_SCENES)) == (11, 19)
    assert randperson.PUBLISHED_COUNTS == {"train": (8000, 132145)}


@pytest.mark.parametrize("name", ["000000_s11_c00_f000000.jpg", "000000_s04_c01_f000000.jpg"])
def test_scenes_and_cameras_that_are_not_there(tmp_path, name):
    root = tree(tmp_path, "000000_s00_c00_f000000.jpg", name)
    with pytest.raises(ValueError, match=rf"scenes s00 to s10 .* Received: 1 of 2 files of others, .* {name}"):
        randperson.load(root)


def test_wrong_roots_and_names(tmp_path):
    with pytest.raises(ValueError, match=r"No RandPerson in .*Expected the folders randperson_subset"):
        randperson.load(tmp_path)
    with pytest.raises(ValueError, match=r"1 of 1 file names .* do not parse: 0001_c1s1_000151_01\.jpg"):
        randperson.load(tree(tmp_path, "0001_c1s1_000151_01.jpg"))


def test_a_copy_of_the_real_size_is_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(randperson, "PUBLISHED_COUNTS", {"train": (2, 3)})
    names = [f"00000{person}_s00_c00_f000000.jpg" for person in range(2)]
    notes = randperson.load(tree(tmp_path, *names)).notes
    assert notes[0].startswith("train has 2 persons and 2 images; RandPerson (subset) is published with 2 and 3.")


def test_synthetic_people_in_the_layout_are_read_back(people, tmp_path):
    root = write_layout("randperson", tmp_path / "new", people)
    dataset = datasets.load("randperson", root)
    assert (len(dataset.train), dataset.train.num_persons) == (len(people.train), people.train.num_persons)
    assert sorted(dataset.train.camera_id) == sorted(people.train.camera_id)
    assert datasets.check(dataset).ok
    with pytest.raises(ValueError, match="is there already"):
        write_layout("randperson", root, people)


def test_the_layout_needs_cameras(people, tmp_path):
    import dataclasses

    import numpy as np

    unknown = dataclasses.replace(people.train, camera_id=np.full(len(people.train), -1))
    with pytest.raises(ValueError, match=r"needs training images of cameras 0 to 18\. Received: \[-1\]"):
        write_layout("randperson", tmp_path, dataclasses.replace(people, train=unknown))
