"""Faults planted into a tree of people that has none; each must be found by its code, and no other."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_reid.datasets import RefusedDataset, check, market1501, synthetic

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("clean") / "people"
    return Path(synthetic.render(root, train_identities=4, test_identities=3))


class Tree:
    """A copy of the clean tree, and the files it had at first: planting one fault moves no other."""

    def __init__(self, clean, folder):
        self.root = Path(shutil.copytree(clean, folder))
        self.train, self.query, self.gallery = (images(self.root, split) for split in (TRAIN, QUERY, GALLERY))

    def add(self, split, person, camera, number=77) -> Path:
        """A path for a further image; `camera` is written from 1, as in the names."""
        return self.root / split / f"{person:04d}_c{camera}s1_{900000 + 10 * person + camera:06d}_{number:02d}.jpg"

    def other_image(self, target):
        """An ordinary picture whose bytes are those of no other file."""
        with Image.open(self.train[1]) as image:
            picture = np.array(image)
        # The name as a row of small changes: no two are alike.
        picture[0, : len(target.name), 0] = list(target.name.encode())
        Image.fromarray(picture).save(target, quality=95)


@pytest.fixture
def tree(clean, tmp_path) -> Tree:
    return Tree(clean, tmp_path / "people")


def load(root):
    """What the command does: tables that the reader refuses are looked at all the same."""
    try:
        return market1501.load(root)
    except RefusedDataset as refused:
        return refused.dataset


def codes(report) -> set[str]:
    return {finding.code for finding in report.findings}


def images(root, split) -> list[Path]:
    return sorted((root / split).glob("*.jpg"))


def person_of(path) -> int:
    return int(path.name[:4])


def camera_of(path) -> int:
    return int(path.name[6])


def rewrite(path, change):
    with Image.open(path) as image:
        changed = change(image.convert("RGB"))
    changed.save(path)


def empty(tree):
    tree.train[3].write_bytes(b"")


def truncated(tree):
    content = tree.gallery[3].read_bytes()
    tree.gallery[3].write_bytes(content[: len(content) // 2])


def no_image(tree):
    tree.train[5].write_text("no image")


def copied_to_the_same_person(tree):
    shutil.copy(tree.train[7], tree.add(TRAIN, person_of(tree.train[7]), camera_of(tree.train[7])))


def copied_to_another_person(tree):
    shutil.copy(tree.train[0], tree.add(TRAIN, person_of(tree.train[-1]), 1))


def copied_from_train_to_gallery(tree):
    shutil.copy(tree.train[9], tree.add(GALLERY, person_of(tree.query[0]), camera_of(tree.query[0])))


def query_copied_to_the_gallery(tree):
    source = tree.query[0]
    other = next(camera_of(path) for path in tree.query if camera_of(path) != camera_of(source))
    shutil.copy(source, tree.add(GALLERY, person_of(source), other, 78))


def query_copied_under_its_own_camera(tree):
    shutil.copy(tree.query[1], tree.add(GALLERY, person_of(tree.query[1]), camera_of(tree.query[1]), 79))


def tiny(tree):
    rewrite(tree.train[11], lambda image: image.resize((12, 24)))


def wide(tree):
    rewrite(tree.train[12], lambda image: image.resize((300, 64)))


def high(tree):
    rewrite(tree.train[13], lambda image: image.resize((32, 300)))


def blank(tree):
    rewrite(tree.train[14], lambda image: Image.new("RGB", image.size, (10, 120, 30)))


def grey(tree):
    rewrite(tree.train[15], lambda image: image.convert("L").convert("RGB"))


def turned(tree):
    with Image.open(tree.train[16]) as image:
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(tree.train[16], exif=exif)


def sixteen_bits(tree):
    with Image.open(tree.train[17]) as image:
        values = np.asarray(image.convert("L")).astype(np.uint16) * 16
    tree.train[17].unlink()
    Image.fromarray(values).save(tree.train[17].with_suffix(".png"))


def person_on_both_sides(tree):
    tree.other_image(tree.add(GALLERY, person_of(tree.train[0]), camera_of(tree.query[0])))


def one_image(tree):
    tree.other_image(tree.add(TRAIN, 9001, 1))


def one_camera(tree):
    for number in (1, 2):
        tree.other_image(tree.add(TRAIN, 9002, 1, number))


def not_in_the_gallery(tree):
    tree.other_image(tree.add(QUERY, 9003, 1))


def in_its_own_camera_only(tree):
    camera = camera_of(tree.query[0])
    tree.other_image(tree.add(QUERY, 9004, camera, 1))
    tree.other_image(tree.add(GALLERY, 9004, camera, 2))


def distractor(tree):
    tree.other_image(tree.add(GALLERY, 9005, camera_of(tree.query[0])))


FAULTS = {
    empty: {"empty_file"},
    truncated: {"unreadable_image"},
    no_image: {"unreadable_image"},
    copied_to_the_same_person: {"duplicate_image"},
    copied_to_another_person: {"duplicate_of_two_persons"},
    copied_from_train_to_gallery: {"duplicate_in_train_and_test"},
    query_copied_to_the_gallery: {"query_in_gallery"},
    query_copied_under_its_own_camera: {"query_in_gallery_ignored"},
    tiny: {"tiny_image"},
    wide: {"odd_shape"},
    high: {"odd_shape"},
    blank: {"blank_image"},
    grey: {"grey_image"},
    turned: {"turned_by_exif"},
    sixteen_bits: {"more_than_8_bits", "grey_image"},
    person_on_both_sides: {"person_in_train_and_test", "distractors"},
    one_image: {"single_image", "one_camera"},
    one_camera: {"one_camera"},
    not_in_the_gallery: {"identity_not_in_gallery"},
    in_its_own_camera_only: {"matches_ignored"},
    distractor: {"distractors"},
}


def test_nothing_is_found_in_a_clean_tree(clean):
    dataset = market1501.load(clean)
    report = check(dataset)
    assert report.ok and report.findings == ()
    assert report.counts["train"]["persons"] == 4 and report.counts["train"]["images"] == len(dataset.train)
    assert str(report) == f"{dataset.summary()}\n\nnothing found"


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found_and_no_other(tree, plant):
    plant(tree)
    report = check(load(tree.root))
    assert codes(report) == FAULTS[plant]
    assert {finding.count for finding in report.findings} == {1}


def test_all_faults_at_once_are_found(tree):
    for plant in FAULTS:
        plant(tree)
    dataset = load(tree.root)
    Path(dataset.train.path[20]).unlink()
    unknown, untimed = dataset.query.camera_id.copy(), dataset.query.time_s.copy()
    unknown[2], untimed[3] = -1, np.nan
    # Tables that are refused cannot be built anew.
    object.__setattr__(dataset, "query", replace(dataset.query, camera_id=unknown, time_s=untimed))
    report = check(dataset)
    expected = set.union(*FAULTS.values()) | {"missing_image", "camera_unknown", "time_missing"}
    assert len(expected) >= 12
    assert codes(report) == expected
    assert not report.ok


def test_what_is_found_is_named(tree):
    truncated(tree)
    copied_to_the_same_person(tree)
    broken, twice = check(load(tree.root)).findings
    assert broken.severity == "error" and broken.examples[0].startswith(f"{tree.gallery[3]} (")
    assert twice.severity == "warning"
    assert set(twice.examples[0].split(" = ")) >= {str(tree.train[7])}


def test_a_line_that_is_there_twice(clean):
    dataset = market1501.load(clean)
    twice = replace(dataset, train=dataset.train.take([*range(len(dataset.train)), 0]))
    (finding,) = check(twice).findings
    assert finding.code == "duplicate_image"
    assert finding.examples == (f"{dataset.train.path[0]} (listed 2 times)",)


def test_a_colour_image_among_thermal_ones(tree):
    dataset = market1501.load(tree.root)
    for path in tree.train[1:] + tree.query + tree.gallery:
        rewrite(path, lambda image: image.convert("L"))
    tables = {
        split: replace(table, modality=np.ones(len(table), np.int32))
        for split in ("train", "query", "gallery")
        for table in [getattr(dataset, split)]
    }
    (finding,) = check(replace(dataset, **tables)).findings
    assert finding.code == "coloured_thermal" and finding.examples == (str(tree.train[0]),)


def test_a_set_without_colour_is_one(tree):
    for path in tree.train + tree.query + tree.gallery:
        rewrite(path, lambda image: image.convert("L"))
    assert check(load(tree.root)).findings == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_of_image_is_looked_at(tree, mode):
    path = tree.train[0]
    with Image.open(path) as colour:
        image = colour.convert("L").convert(mode) if mode == "I;16" else colour.convert(mode)
    path.unlink()
    image.save(path.with_suffix(".tif" if mode in ("CMYK", "I;16", "F") else ".png"))
    expected = {"1": {"grey_image"}, "L": {"grey_image"}, "LA": {"grey_image"}}
    deep = {"more_than_8_bits", "grey_image"}
    assert codes(check(load(tree.root))) == expected.get(mode, deep if mode[0] in "IF" else set())


def test_without_decoding_only_missing_and_empty_files_are_found(tree):
    for plant in (empty, truncated, copied_to_the_same_person, grey):
        plant(tree)
    dataset = load(tree.root)
    Path(dataset.query.path[0]).unlink()
    assert codes(check(dataset, decode=False)) == {"empty_file", "missing_image"}


def test_progress_reaches_the_end(clean):
    dataset, seen = market1501.load(clean), []
    check(dataset, progress=lambda done, total: seen.append((done, total, threading.current_thread())))
    total = sum(len(images(clean, split)) for split in (TRAIN, QUERY, GALLERY))
    assert seen[-1][:2] == (total, total) and [done for done, *_ in seen] == sorted(done for done, *_ in seen)
    assert {thread for *_, thread in seen} == {threading.main_thread()}
