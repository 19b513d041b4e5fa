from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keras_reid import datasets
from keras_reid.datasets import dukemtmc
from keras_reid.datasets.synthetic.layouts import write_layout
from tests.datasets.people import check_same_people, few_people, source_of
from tests.datasets.trees import write_image


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return few_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def root(tmp_path_factory, people) -> Path:
    return write_layout("dukemtmc", tmp_path_factory.mktemp("dukemtmc"), people)


def test_reads_what_was_written(root, people):
    dataset = datasets.load("dukemtmc", root)
    assert (dataset.name, dataset.protocol) == ("dukemtmc", "market1501")
    check_same_people(people, dataset)
    assert dataset.train.person_id.tolist() == source_of(people.train, dataset.train).person_id.tolist()
    assert Path(dataset.query.path[0]).parent == root / "DukeMTMC-reID" / "query"
    assert datasets.check(dataset).ok


def test_times_run_on_one_clock(root, people):
    dataset = dukemtmc.load(root)
    tables = [(source_of(getattr(people, s), getattr(dataset, s)), getattr(dataset, s)) for s in ("query", "gallery")]
    shift = np.concatenate([theirs.time_s - mine.time_s for mine, theirs in tables])
    assert np.ptp(shift) < 2 / 59.94


def test_the_published_clock_and_camera(tmp_path):
    for name in ("bounding_box_train/0001_c2_f0046182.jpg", "query/0005_c8_f0000000.jpg"):
        write_image(tmp_path / name)
    write_image(tmp_path / "bounding_box_test" / "0005_c5_f0005994.jpg")
    write_image(tmp_path / "bounding_box_test" / "-1_c5_f0005994.jpg")
    dataset = dukemtmc.load(tmp_path)
    assert (dataset.train.camera_id.tolist(), dataset.gallery.person_id.tolist()) == ([1], [5])
    assert dataset.train.time_s.tolist() == [(46182 + 3606) / 59.94]
    assert (dataset.query.time_s.tolist(), dataset.gallery.time_s.tolist()) == ([46765 / 59.94], [100.0])


def test_the_notes_say_that_it_was_withdrawn(root):
    notes = dukemtmc.load(root).notes
    assert len(notes) == 1 and "withdrawn by its authors in 2019" in notes[0]
    assert "Withdrawn" in dukemtmc.__doc__


def test_the_published_counts(root, monkeypatch):
    assert dukemtmc.PUBLISHED_COUNTS == {"train": (702, 16522), "query": (702, 2228), "gallery": (1110, 17661)}
    monkeypatch.setattr(dukemtmc, "PUBLISHED_COUNTS", {"train": (3, 18), "query": (3, 10), "gallery": (3, 9)})
    sentence = "query has 3 persons and 9 images; DukeMTMC-reID is published with 3 and 10. Is the copy complete"
    (note,) = dukemtmc.load(root).notes[1:]
    assert note.startswith(sentence)


def test_names_of_market1501_do_not_parse(root, tmp_path):
    write_image(tmp_path / "bounding_box_train" / "0002_c1s1_000451_03.jpg")
    for folder in ("query", "bounding_box_test"):
        (tmp_path / folder).mkdir()
    with pytest.raises(ValueError, match=r"1 of 1 file names .* Expected names like 0001_c2_f0046182\.jpg"):
        dukemtmc.load(tmp_path)


def test_a_wrong_root_says_what_was_expected(tmp_path):
    with pytest.raises(ValueError, match=r"No DukeMTMC-reID in .*Expected the folders bounding_box_train, query, "):
        dukemtmc.load(tmp_path)


def test_what_cannot_be_written(root, people, tmp_path):
    with pytest.raises(ValueError, match=r"DukeMTMC-reID' is there already\. Give a `root`"):
        write_layout("dukemtmc", root, people)
    without = replace(people, query=people.query.take([]))
    with pytest.raises(ValueError, match=r"'dukemtmc' needs three splits\. Received: 'synthetic-A' without \['query'"):
        write_layout("dukemtmc", tmp_path, without)
    far = replace(people, query=replace(people.query, camera_id=people.query.camera_id + 8))
    with pytest.raises(ValueError, match=r"'dukemtmc' needs images of cameras 0 to 7\. Received: \[.*\] in 'synth"):
        write_layout("dukemtmc", tmp_path, far)


def test_people_without_times_and_twice_the_same_time(people, tmp_path):
    timeless = replace(people, train=replace(people.train, time_s=np.full(len(people.train), np.nan)))
    check_same_people(timeless, dukemtmc.load(write_layout("dukemtmc", tmp_path / "none", timeless)))
    at_once = replace(people, train=replace(people.train, time_s=np.zeros(len(people.train))))
    check_same_people(at_once, dukemtmc.load(write_layout("dukemtmc", tmp_path / "once", at_once)))
