from pathlib import Path

import pytest

from keras_reid import datasets
from keras_reid.datasets import cuhk_sysu
from keras_reid.datasets.synthetic.layouts import write_layout
from tests.datasets.people import few_people, same_groups, source_of
from tests.datasets.trees import write_image

FOLDERS = {"cropped": "cuhk_sysu/cropped_images", "market": "CUHK-SYSU/bounding_box_train"}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return few_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module", params=FOLDERS)
def written(request, tmp_path_factory, people):
    root = tmp_path_factory.mktemp(request.param)
    return request.param, write_layout("cuhk_sysu", root, people, packing=request.param)


def test_reads_what_was_written_for_training_only(written, people):
    packing, root = written
    dataset = datasets.load("cuhk_sysu", root)
    assert (dataset.name, dataset.notes, len(dataset.query), len(dataset.gallery)) == ("cuhk_sysu", (), 0, 0)
    assert len(dataset.train) == len(people.train) == 18
    assert same_groups(source_of(people.train, dataset.train).person_id, dataset.train.person_id)
    assert Path(dataset.train.path[0]).parent == root / FOLDERS[packing]


def test_there_are_no_cameras(written):
    train = cuhk_sysu.load(written[1]).train
    assert set(train.camera_id.tolist()) == {-1} and train.num_cameras == 0


@pytest.mark.parametrize("folder", ["cuhksysu", "cuhk_sysu", "CUHK-SYSU", "."])
def test_finds_the_usual_folders(tmp_path, folder):
    write_image(tmp_path / folder / "cropped_images" / "p11422_s16929_1.jpg")
    assert cuhk_sysu.load(tmp_path).train.person_id.tolist() == [11422]


def test_junk_is_dropped(tmp_path):
    for name in ("-1_c1s1_000001_00.jpg", "0007_c1s1_000002_00.jpg"):
        write_image(tmp_path / "bounding_box_train" / name)
    assert cuhk_sysu.load(tmp_path).train.person_id.tolist() == [7]


def test_the_published_counts(written, monkeypatch):
    assert cuhk_sysu.PUBLISHED_COUNTS == {"train": (11934, 34574)}
    monkeypatch.setattr(cuhk_sysu, "PUBLISHED_COUNTS", {"train": (4, 18)})
    (note,) = cuhk_sysu.load(written[1]).notes
    assert note.startswith("train has 3 persons and 18 images; CUHK-SYSU is published with 4 and 18.")


def test_wrong_trees_say_what_was_expected(tmp_path):
    with pytest.raises(ValueError, match=r"No CUHK-SYSU in .*folders cropped_images; or bounding_box_train there, or"):
        cuhk_sysu.load(tmp_path)
    write_image(tmp_path / "cropped_images" / "0001_c1.jpg")
    with pytest.raises(ValueError, match=r"do not parse: 0001_c1\.jpg\. Expected names like p11422_s16929_1\.jpg"):
        cuhk_sysu.load(tmp_path)
    with pytest.raises(ValueError, match=r"is the folder cropped_images itself: pass its parent"):
        cuhk_sysu.load(tmp_path / "cropped_images")


def test_an_unknown_packing_is_named(people, tmp_path):
    with pytest.raises(ValueError, match=r"Unknown packing of the layout 'cuhk_sysu' 'markt'\. Did you mean 'market'"):
        write_layout("cuhk_sysu", tmp_path, people, packing="markt")
