from pathlib import Path

import pytest

from keras_reid import datasets
from keras_reid.datasets import ReIDTable, msmt17
from keras_reid.datasets.synthetic.layouts import write_layout
from tests.datasets.people import check_same_people, few_people, same_groups, source_of
from tests.datasets.trees import write_image

BASES = {"v1": "MSMT17_V1", "v2": "MSMT17_V2", "market": "MSMT17"}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return few_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def roots(tmp_path_factory, people) -> dict[str, Path]:
    return {
        version: write_layout("msmt17", tmp_path_factory.mktemp(version), people, version=version) for version in BASES
    }


@pytest.fixture
def tiny(tmp_path) -> Path:
    """One person of each half, both numbered 0."""
    for split, folder, name in (
        ("train", "train", "0000_000_01_0303morning_0008_0.jpg"),
        ("val", "train", "0000_013_04_0303afternoon_0020_2_ex.jpg"),
        ("query", "test", "0000_000_15_0302noon_0005_0.jpg"),
        ("gallery", "test", "0000_001_14_0302noon_0009_0_ex.jpg"),
    ):
        write_image(tmp_path / folder / "0000" / name)
        (tmp_path / f"list_{split}.txt").write_text(f"0000/{name} 0\n")
    return tmp_path


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_reads_what_was_written(roots, people, version):
    dataset = datasets.load("msmt17", roots[version], train="trainval")
    assert (dataset.name, dataset.protocol) == ("msmt17", "market1501")
    check_same_people(people, dataset)
    assert dataset.train.person_ids.tolist() == [0, 1, 2]
    assert dataset.query.person_ids.tolist() == dataset.gallery.person_ids.tolist() == [3, 4, 5]
    assert dataset.notes == (f"Form {version.upper()}; train has the 3 images of list_val.txt too.",)
    assert all(str(roots[version] / BASES[version]) in path for path in dataset.gallery.path)
    assert datasets.check(dataset).ok


def test_reads_the_form_renamed_as_market1501(roots, people):
    dataset = msmt17.load(roots["market"])
    check_same_people(people, dataset)
    assert dataset.query.person_ids.tolist() == [4, 5, 6], "numbers that are apart stay as they are"
    assert dataset.notes == (
        "Form Market; train is all of bounding_box_train, which does not tell training from validation images.",
    )


def test_train_alone_leaves_the_validation_images_out(roots, people):
    dataset = msmt17.load(roots["v1"])
    assert (len(dataset.train), dataset.train.num_persons) == (15, 3)
    assert "without the 3 images of list_val.txt (train='trainval' adds them)" in dataset.notes[0]


@pytest.mark.parametrize("version", BASES)
def test_all_images_for_training(roots, people, version):
    dataset = msmt17.load(roots[version], train="all")
    everybody = ReIDTable.concatenate([people.train, people.query, people.gallery])
    assert len(dataset.train) == len(everybody) == 36
    assert same_groups(source_of(everybody, dataset.train).person_id, dataset.train.person_id)
    assert (len(dataset.query), len(dataset.gallery)) == (0, 0)
    assert "every image is for training" in dataset.notes[0]


def test_cameras_numbers_and_unknown_times(tiny):
    dataset = msmt17.load(tiny, train="trainval")
    assert dataset.train.camera_id.tolist() == [0, 3]
    assert (dataset.query.camera_id.tolist(), dataset.gallery.camera_id.tolist()) == ([14], [13])
    assert (dataset.train.person_id.tolist(), dataset.query.person_id.tolist()) == ([0, 0], [1])
    assert (dataset.train.time_s != dataset.train.time_s).all()


def test_the_offset_does_not_depend_on_the_choice_of_training_images(tiny):
    (tiny / "list_train.txt").write_text("0000/0000_000_01_0303morning_0008_0.jpg 0\n")
    (tiny / "list_val.txt").write_text("0000/0000_013_04_0303afternoon_0020_2_ex.jpg 6\n")
    persons = [msmt17.load(tiny, train=train).query.person_id.tolist() for train in ("train", "trainval")]
    assert persons == [[7], [7]]


def test_renamed_persons_that_overlap_are_moved(tmp_path):
    for name in ("bounding_box_train/0004_c1_0001.jpg", "query/0004_c15_0001.jpg", "bounding_box_test/0004_c2_1.jpg"):
        write_image(tmp_path / "msmt17" / name)
    dataset = msmt17.load(tmp_path)
    assert (dataset.train.person_id.tolist(), dataset.query.person_id.tolist()) == ([4], [9])
    assert dataset.query.camera_id.tolist() == [14]


@pytest.mark.parametrize("folder", ["msmt17/MSMT17_V1", "MSMT17", "MSMT17_V1"])
def test_finds_the_usual_folders(tiny, tmp_path_factory, folder):
    root = tmp_path_factory.mktemp("root")
    (root / folder).parent.mkdir(exist_ok=True)
    tiny.rename(root / folder)
    assert len(msmt17.load(root).train) == 1


def test_the_published_counts(roots, monkeypatch):
    assert msmt17.PUBLISHED_COUNTS == {
        "train": {"train": (1041, 30248), "query": (3060, 11659), "gallery": (3060, 82161)},
        "trainval": {"train": (1041, 32621), "query": (3060, 11659), "gallery": (3060, 82161)},
        "all": {"train": (4101, 126441)},
    }
    assert 1041 + 3060 == 4101 and 32621 + 11659 + 82161 == 126441
    test = {"query": (3, 9), "gallery": (3, 9)}
    counts = {"train": {"train": (3, 16), **test}, "trainval": {"train": (3, 19), **test}, "all": {"train": (6, 37)}}
    monkeypatch.setattr(msmt17, "PUBLISHED_COUNTS", counts)
    for version, train, found, published in (
        ("v1", "train", (3, 15), (3, 16)),
        ("v2", "trainval", (3, 18), (3, 19)),
        ("v1", "all", (6, 36), (6, 37)),
        ("market", "train", (3, 18), (3, 19)),
    ):
        (note,) = msmt17.load(roots[version], train=train).notes[1:]
        assert note.startswith(
            f"train has {found[0]} persons and {found[1]} images; MSMT17 is published with {published[0]} and "
            f"{published[1]}."
        )


def test_missing_lists_are_named(tiny):
    (tiny / "list_val.txt").unlink()
    (tiny / "list_query.txt").unlink()
    with pytest.raises(ValueError, match=r"Missing in '.*': list_val\.txt, list_query\.txt\. The four lists say which"):
        msmt17.load(tiny)


def test_images_that_are_listed_but_not_there_are_counted(tiny):
    (tiny / "test" / "0000" / "0000_001_14_0302noon_0009_0_ex.jpg").unlink()
    with pytest.raises(
        ValueError, match=r"1 of the 1 images of '.*list_gallery\.txt' are not in '.*test', e\.g\. 0000"
    ):
        msmt17.load(tiny)


@pytest.mark.parametrize("line", ["0000/0000_000.jpg 0", "0000/0000_000_01_0303morning_0008_0.jpg", "a b c"])
def test_lines_that_do_not_parse_are_shown(tiny, line):
    with (tiny / "list_train.txt").open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(ValueError, match=rf"1 of 2 lines of '.*list_train\.txt' do not parse: '{line}'\. Expected lin"):
        msmt17.load(tiny)


def test_unknown_choices_and_wrong_roots(tiny, people, tmp_path_factory):
    with pytest.raises(ValueError, match=r"Unknown choice of `train` images of MSMT17 'val'\..*Known: all, train, tra"):
        msmt17.load(tiny, train="val")
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(ValueError, match=r"No MSMT17 in .*folders train, test; or mask_train_v2, mask_test_v2; or bou"):
        msmt17.load(empty)
    with pytest.raises(ValueError, match=r"Unknown version of the layout 'msmt17' 'v3'\. .*Known: market, v1, v2"):
        write_layout("msmt17", empty, people, version="v3")
