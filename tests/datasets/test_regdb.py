"""RegDB: splits from lists, directions, the writer, what a bad tree says."""

from pathlib import Path

import numpy as np
import pytest

from keras_reid import datasets
from keras_reid.datasets import ReIDDataset, ReIDTable, regdb
from keras_reid.datasets.synthetic.layouts import write_layout
from tests.datasets.trees import write_image

TRAIN, TEST = (285, 7), (12, 3)


def name(modality: str, person: int, number: int) -> str:
    return f"{modality.title()}/{person}/male_back_{modality[0]}_{number:05d}_{person}.bmp"


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "idx").mkdir()
    for part, persons in (("train", TRAIN), ("test", TEST)):
        for modality in ("visible", "thermal"):
            names = [name(modality, person, number) for person in persons for number in (1, 2)]
            for image in names:
                write_image(tmp_path / image)
            for trial, half in (("1", part), ("10", "test" if part == "train" else "train")):
                lines = [f"{image} {row // 2}\n" for row, image in enumerate(names)]
                (tmp_path / "idx" / f"{half}_{modality}_{trial}.txt").write_text("".join(lines))
    return tmp_path


def test_reads_every_column(root):
    dataset = regdb.load(root)
    assert (dataset.name, dataset.protocol, dataset.notes, dataset.trials) == ("regdb", "no_camera", (), ())
    # The folder's number, not the label of the list, which both halves count from 0.
    assert dataset.train.person_id.tolist() == [285, 285, 7, 7] * 2
    assert dataset.query.person_id.tolist() == dataset.gallery.person_id.tolist() == [12, 12, 3, 3]
    assert dataset.query.path.tolist() == [str(root / name("visible", p, n)) for p in TEST for n in (1, 2)]
    for table in (dataset.train, dataset.query, dataset.gallery):
        assert table.camera_id.tolist() == table.modality.tolist()
    assert dataset.train.modality.tolist() == [0] * 4 + [1] * 4
    assert (dataset.query.modality.max(), dataset.gallery.modality.min()) == (0, 1)


def test_directions_and_trials(root):
    there, back = regdb.load(root), regdb.load(root, direction="thermal_to_visible")
    assert back.query.path.tolist() == there.gallery.path.tolist()
    assert back.gallery.path.tolist() == there.query.path.tolist()
    other = datasets.load("regdb", root, trial=10)
    assert sorted(other.train.person_ids.tolist()) == sorted(TEST)
    assert sorted(other.query.person_ids.tolist()) == sorted(TRAIN)


def test_the_published_counts(root, monkeypatch):
    assert regdb.PUBLISHED_COUNTS == {"train": (206, 2 * 2060), "query": (206, 2060), "gallery": (206, 2060)}
    monkeypatch.setattr(regdb, "PUBLISHED_COUNTS", {"train": (2, 8), "query": (2, 4), "gallery": (2, 5)})
    assert regdb.load(root).notes == (
        "gallery has 2 persons and 4 images; RegDB is published with 2 and 5. Is the copy complete and unmodified?",
    )


@pytest.mark.parametrize("folder", ["RegDB", "RegDB/RegDB", "RegDB_01"])
def test_finds_the_usual_folders(root, tmp_path_factory, folder):
    above = tmp_path_factory.mktemp("above")
    (above / folder).parent.mkdir(exist_ok=True)
    root.rename(above / folder)
    assert len(regdb.load(above).query) == len(regdb.load(above / folder).query) == 4


def test_bad_arguments_and_trees(root, tmp_path_factory):
    with pytest.raises(ValueError, match=r"Unknown direction of RegDB 'both'\. Known: thermal_to_visible, visible_to"):
        regdb.load(root, direction="both")
    with pytest.raises(ValueError, match=r"`trial` must be an integer of at least 1\. Received: 0\."):
        regdb.load(root, trial=0)
    with pytest.raises(
        ValueError, match=r"RegDB has no split 2 here: .*train_visible_2\.txt' is not there\. Found: \["
    ):
        regdb.load(root, trial=2)
    with pytest.raises(ValueError, match=r"No RegDB in .* Expected the folders Visible, Thermal, idx there"):
        regdb.load(tmp_path_factory.mktemp("empty"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "Visible/male_back_v_00001_3.bmp 0",
            r"1 of 5 file names in .*do not parse: Visible/male.* Expected lines like",
        ),
        ("Visible/3/male_back_v_00001_3.bmp", r"1 of 5 file names in .*do not parse"),
        ("Thermal/3/male_back_t_00001_3.bmp 0", r"must list images of the folder Visible\. Received: 'Thermal/3/male"),
        ("Visible/3/male_back_v_00009_3.bmp 0", r"1 of 5 images that .* lists are not there, the first is 'Visible/3/"),
    ],
)
def test_bad_lines(root, line, sentence):
    with (root / "idx" / "test_visible_1.txt").open("a") as file:
        file.write(f"{line}\n\n")
    with pytest.raises(ValueError, match=sentence):
        regdb.load(root)


def test_a_list_with_other_persons(root):
    (root / "idx" / "test_visible_1.txt").write_text(f"{name('visible', 285, 1)} 0\n")
    with pytest.raises(ValueError, match=r"1 identities of 'regdb' are in the training split and in a test split: 285"):
        regdb.load(root)


def test_what_is_written_is_read(root, tmp_path_factory):
    people = regdb.load(root)
    place = tmp_path_factory.mktemp("written")
    written = write_layout("regdb", place, people, trials=3, seed=1)
    dataset = regdb.load(written)
    assert dataset.train.person_ids.tolist() == [1, 2]
    assert dataset.query.person_ids.tolist() == dataset.gallery.person_ids.tolist() == [3, 4]
    assert all(path.endswith(".bmp") for path in dataset.train.path)
    for split in ("train", "query", "gallery"):
        assert len(getattr(dataset, split)) == len(getattr(people, split))
    halves = set()
    for trial in (1, 2, 3):
        split = regdb.load(written, trial=trial)
        assert split.train.num_persons == split.query.num_persons == 2
        halves.add(tuple(split.train.person_ids.tolist()))
    assert len(halves) > 1
    with pytest.raises(ValueError, match=r"RegDB has no split 4 here"):
        regdb.load(written, trial=4)
    with pytest.raises(ValueError, match=r"is there already"):
        write_layout("regdb", written, people)


def test_people_who_do_not_fit_are_not_written(root, tmp_path):
    people = regdb.load(root)
    half = people.train.where((people.train.modality == 0) | (people.train.person_id == 7))
    with pytest.raises(ValueError, match=r"with 2 visible and 1 thermal persons there, 1 of whom lack a modality"):
        write_layout("regdb", tmp_path / "new", ReIDDataset("half", half, people.query, people.gallery, "no_camera"))
    nobody = ReIDTable.from_columns([], np.array([], int))
    with pytest.raises(ValueError, match=r"needs visible and thermal images of every training person"):
        write_layout("regdb", tmp_path / "new", ReIDDataset("none", nobody, people.query, people.gallery, "no_camera"))
