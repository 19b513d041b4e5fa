import re
from pathlib import Path

import numpy as np
import pytest

from keras_reid.datasets import folder
from tests.datasets.trees import TINY_MARKET, write_image, write_tree

MARKET_PATTERN = r"(?P<person>-?\d+)_c(?P<camera>\d)s\d_(?P<frame>\d+)"
NAMES = [f"{p}_cam{c}_{n}.jpg" for p in ("ann", "bob", "eve") for c in (1, 2) for n in (10, 20)]
PATTERN = r"(?P<person>[a-z]+)_cam(?P<camera>\d)_(?P<frame>\d+)"


def everything(dataset) -> dict[str, tuple]:
    tables = (dataset.train, dataset.query, dataset.gallery)
    return {
        Path(path).name: (int(person), int(camera), float(time))
        for table in tables
        for path, person, camera, time in zip(table.path, table.person_id, table.camera_id, table.time_s, strict=True)
    }


@pytest.fixture
def root(tmp_path) -> Path:
    return write_tree(tmp_path, {"mine": NAMES}) / "mine"


def test_a_flat_folder_is_split_by_person(root):
    dataset = folder.from_folder(root, PATTERN, fps=10)
    assert (dataset.name, dataset.protocol) == ("mine", "market1501")
    assert everything(dataset) == {
        f"{name}_cam{camera}_{frame}.jpg": (number, camera, frame / 10)
        for number, name in enumerate(("ann", "bob", "eve"), start=1)
        for camera in (1, 2)
        for frame in (10, 20)
    }
    assert dataset.notes == (
        "The person names were numbered: ann = 1, bob = 2, eve = 3.",
        "Split by person: train_fraction=0.5, seed=0.",
    )
    seeds = {tuple(folder.from_folder(root, PATTERN, 10, seed=s).train.path) for s in range(8)}
    assert len(seeds) > 1


def test_folders_can_be_persons(tmp_path):
    tree = {f"p{p}/cam{c}": ["a.jpg", "b.jpg"] for p in (3, 4) for c in (0, 1)}
    pattern = re.compile(r"p(?P<person>\d+)/cam(?P<camera>\d+)/")
    dataset = folder.from_folder(write_tree(tmp_path, tree), pattern)
    assert {*dataset.train.person_ids, *dataset.query.person_ids} == {3, 4}
    assert np.isnan(dataset.train.time_s).all()


def test_a_pattern_without_a_slash_is_matched_at_the_start_of_the_file_name(root):
    for folder_name in ("eve_cam2_77", "2024"):
        write_image(root / folder_name / "ann_cam1_30.jpg")
    facts = everything(folder.from_folder(root, PATTERN, fps=1))
    assert facts["ann_cam1_30.jpg"] == (1, 1, 30.0)
    assert (3, 2, 77.0) not in facts.values()
    write_image(root / "2024-ann_cam1_30.jpg")
    with pytest.raises(ValueError, match=r"do not parse: 2024-ann_cam1_30\.jpg"):
        folder.from_folder(root, PATTERN, fps=1)


def test_junk_is_not_split(tmp_path):
    names = [f"{person}_{camera}.jpg" for person in (-1, 1, 2) for camera in (0, 1)]
    for seed in range(5):
        root = write_tree(tmp_path, {"mine": names}) / "mine"
        pattern = r"(?P<person>-?\d+)_(?P<camera>\d)"
        dataset = folder.from_folder(root, pattern, seed=seed)
        assert {person for person, _, _ in everything(dataset).values()} == {1, 2}
        assert dataset.notes[0] == "2 junk images (person -1) were left out."


def test_sub_folders_are_the_splits(tmp_path):
    splits = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
    write_tree(tmp_path, TINY_MARKET)
    dataset = folder.from_folder(tmp_path, MARKET_PATTERN, fps=25, splits=splits)
    assert (len(dataset.train), len(dataset.query), len(dataset.gallery)) == (4, 2, 3)
    assert dataset.query.camera_id.tolist() == [1, 6]
    assert dataset.query.time_s.tolist() == [1.0, 4.0]
    assert dataset.notes == ("1 junk images (person -1) were left out.",)
    (tmp_path / "bounding_box_test").rename(tmp_path / "gallery")
    evaluation_only = folder.from_folder(tmp_path, MARKET_PATTERN, fps=25)
    assert (len(evaluation_only.train), len(evaluation_only.gallery)) == (0, 3)


def test_without_cameras(root):
    dataset = folder.from_folder(root, r"(?P<person>[a-z]+)_")
    assert dataset.protocol == "no_camera"
    assert {camera for _, camera, _ in everything(dataset).values()} == {-1}
    assert len(dataset.query) == dataset.query.num_persons
    assert not set(dataset.query.path) & set(dataset.gallery.path)


def test_one_camera_only(tmp_path):
    tree = {"q/query": ["1_c0.jpg", "2_c0.jpg"], "q/gallery": ["1_c0_.jpg", "3_c0.jpg"]}
    root = write_tree(tmp_path, tree | {"flat": ["1_c0.jpg", "1_c0_.jpg", "2_c0.jpg"]})
    pattern = r"(?P<person>\d)_c(?P<camera>\d)"
    sentence = (
        r"None of the 2 query images of 'q' has a match from another camera: all images are of "
        r"camera 0, and .* own camera \(here of 1 queries\)\. To evaluate without cameras .*a "
        r"pattern without the group `camera` for a folder\."
    )
    with pytest.raises(ValueError, match=sentence):
        folder.from_folder(root / "q", pattern)
    with pytest.raises(ValueError, match=r"No person is seen by two cameras .*1 camera\).*without"):
        folder.from_folder(root / "flat", pattern)
    for name in ("q", "flat"):
        assert folder.from_folder(root / name, r"(?P<person>\d)_").protocol == "no_camera"


def test_names_that_do_not_parse_are_named(root):
    write_image(root / "sub" / "IMG 1.jpg")
    sentence = (
        r"1 of 13 file names in '.*mine' do not parse: sub/IMG 1\.jpg\. Expected names that fit "
        r"`pattern` \(regular expression '\(\?P<person>"
    )
    with pytest.raises(ValueError, match=sentence):
        folder.from_folder(root, PATTERN, fps=1)


def test_a_person_in_train_and_test(tmp_path):
    tree = {"train": ["1_0.jpg"], "query": ["1_1.jpg"], "gallery": ["1_2.jpg"]}
    with pytest.raises(ValueError, match=r"are in the training split and in a test split: 1\."):
        folder.from_folder(write_tree(tmp_path, tree), r"(?P<person>\d)_(?P<camera>\d)")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"pattern": r"(?P<person>"}, r"`pattern` is no regular expression: .*Received: '\(\?P<per"),
        ({"pattern": r"(\d+)_"}, r"must have the named group \(\?P<person>\.\.\.\).*groups \[\]"),
        ({"pattern": r"(?P<person>\d)(?P<cam>\d)"}, r"with groups \['cam', 'person'\]"),
        ({"pattern": r"(?P<person>.)(?P<time>.)(?P<frame>.)"}, "time or frame"),
        ({"pattern": PATTERN}, r"has the group `frame`, so `fps` must say .* Received: None"),
        ({"pattern": PATTERN, "fps": 0}, r"Received: 0\."),
        ({"pattern": PATTERN, "fps": 1, "splits": {"query": "q"}}, r"`splits` must name the fold"),
        (
            {"pattern": PATTERN, "fps": 1, "splits": {"query": "q", "gallery": "g"}},
            r"mine' has no sub-folder q and no g\. Expected all of q, g, or none",
        ),
        ({"pattern": r"(?P<person>[b-z]*)"}, r"4 of 12 images of .* have no person, e\.g\. .*ann_"),
        ({"pattern": r"(?P<person>\w)(?P<time>\w\w)"}, r"The time of .*ann_cam1_10.jpg.* 'nn'"),
    ],
)
def test_bad_options(root, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        folder.from_folder(root, **options)


def test_bad_folders(root):
    with pytest.raises(ValueError, match=r"Expected a folder of images\. Received: '.*nowhere'"):
        folder.from_folder(root / "nowhere", PATTERN, fps=1)
    (root / "query").mkdir()
    with pytest.raises(ValueError, match=r"has no sub-folder gallery\. Expected all of train, que"):
        folder.from_folder(root, PATTERN, fps=1)
