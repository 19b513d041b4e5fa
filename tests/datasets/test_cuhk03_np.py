import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from keras_reid import datasets
from keras_reid.datasets import ReIDTable, cuhk03_np
from keras_reid.datasets.synthetic.layouts import write_layout
from tests.datasets.people import few_people, pixels, same_groups, source_of
from tests.datasets.trees import write_image

CONFIG = "cuhk03_new_protocol_config_detected.mat"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return few_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def market(tmp_path_factory, people) -> Path:
    return write_layout("cuhk03_np", tmp_path_factory.mktemp("market"), people)


@pytest.fixture(scope="module")
def written_raw(tmp_path_factory, people) -> Path:
    return write_layout("cuhk03_np", tmp_path_factory.mktemp("raw"), people, form="raw")


@pytest.fixture
def raw(tmp_path, written_raw) -> Path:
    """A tree of its own, from which nothing has been extracted."""
    return shutil.copytree(written_raw, tmp_path / "raw") / "cuhk03"


@pytest.mark.parametrize("detection", ["detected", "labeled"])
@pytest.mark.parametrize("form", ["market", "raw"])
def test_reads_what_was_written(request, people, form, detection):
    root = request.getfixturevalue(form)
    dataset = datasets.load("cuhk03_np", root, detection=detection)
    assert (dataset.name, dataset.protocol) == ("cuhk03_np", "market1501")
    assert [len(dataset.train), len(dataset.query), len(dataset.gallery)] == [17 + (detection == "labeled"), 6, 9]
    pairs = []
    for split in ("train", "query", "gallery"):
        source = source_of(getattr(people, split), getattr(dataset, split), pixels)
        table = getattr(dataset, split)
        assert (source.camera_id % 2).tolist() == table.camera_id.tolist()
        assert same_groups(source.person_id, table.person_id)
        pairs.append((source.person_id, table.person_id))
    assert same_groups(*(np.concatenate(columns) for columns in zip(*pairs, strict=True)))
    assert datasets.check(dataset).ok


def test_the_notes_say_which_boxes(market, raw):
    for root in (market, raw):
        assert cuhk03_np.load(root).notes == ("Boxes by the detector (detection='detected').",)
        assert cuhk03_np.load(root, "labeled").notes == ("Boxes drawn by hand (detection='labeled').",)


def test_images_are_extracted_once_and_whole(raw):
    first = cuhk03_np.load(raw)
    folder = raw / "images_detected"
    assert {Path(path).parent for path in first.gallery.path} == {folder}
    assert sorted(entry.name for entry in raw.iterdir() if "images" in entry.name) == ["images_detected"]
    assert "1_001_1_01.png" in {file.name for file in folder.iterdir()}
    (raw / "cuhk03_release" / "cuhk-03.mat").unlink()  # people delete it when it is unpacked
    before = Path(first.train.path[0]).stat().st_mtime_ns
    assert cuhk03_np.load(raw).train.path.tolist() == first.train.path.tolist()
    assert Path(first.train.path[0]).stat().st_mtime_ns == before


def test_an_interrupted_extraction_leaves_nothing(raw, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_reid.datasets._cuhk03_raw.Image.fromarray", stop)
    with pytest.raises(KeyboardInterrupt):
        cuhk03_np.load(raw)
    assert not [entry for entry in raw.iterdir() if "images" in entry.name]


def test_somebody_faster_wins(raw, monkeypatch):
    from keras_reid.datasets import _cuhk03_raw

    write_images = _cuhk03_raw._write_images

    def slow(file, detection, folder):
        write_images(file, detection, folder)
        shutil.copytree(folder, raw / "images_detected")

    monkeypatch.setattr(_cuhk03_raw, "_write_images", slow)
    assert len(cuhk03_np.load(raw).train) == 17
    assert [entry.name for entry in raw.iterdir() if "images" in entry.name] == ["images_detected"]


def test_a_cache_elsewhere(raw, tmp_path):
    dataset = cuhk03_np.load(raw.parent, cache=tmp_path / "new" / "cache")
    assert Path(dataset.train.path[0]).parent == tmp_path / "new" / "cache" / "images_detected"
    assert not (raw / "images_detected").exists()


def test_a_place_that_cannot_be_written_asks_for_a_cache(raw):
    (raw / "file").write_text("no folder")
    with pytest.raises(ValueError, match=r"must be extracted once, and '.*file' cannot be written \(.*\)\. Pass `cac"):
        cuhk03_np.load(raw, cache=raw / "file")


def test_damaged_and_foreign_image_files(raw):
    mat = raw / "cuhk03_release" / "cuhk-03.mat"
    content = mat.read_bytes()
    mat.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"cuhk-03\.mat' could not be read: .*Is the download complete\?"):
        cuhk03_np.load(raw)
    with h5py.File(mat, "w") as file:
        file["other"] = [1]
    with pytest.raises(ValueError, match=r"could not be read: .*MATLAB 7\.3 file \(HDF5\), with 'detected' in it"):
        cuhk03_np.load(raw)
    mat.unlink()
    with pytest.raises(ValueError, match=r"Missing: '.*cuhk-03\.mat'\. The images are extracted from it to '.*detec"):
        cuhk03_np.load(raw)


def test_missing_and_foreign_protocol_files(raw):
    savemat(raw / CONFIG, {"labels": [1]})
    with pytest.raises(
        ValueError, match=r"config_detected\.mat' could not be read: 'filelist'\. Expected the new prot"
    ):
        cuhk03_np.load(raw)
    (raw / CONFIG).write_text("no MATLAB file")
    with pytest.raises(ValueError, match=r"config_detected\.mat' could not be read: "):
        cuhk03_np.load(raw)
    (raw / CONFIG).unlink()
    with pytest.raises(ValueError, match=r"Missing: '.*config_detected\.mat'\. It says which image is in which split"):
        cuhk03_np.load(raw)


def test_file_lists_that_do_not_fit(raw):
    config = {key: value for key, value in loadmat(raw / CONFIG).items() if not key.startswith("__")}
    name = str(config["filelist"][3, 0].item())
    cuhk03_np.load(raw)
    (raw / "images_detected" / name).unlink()
    with pytest.raises(ValueError, match=rf"1 of 32 images of {CONFIG} are not in '.*', e\.g\. {name}\. If the fold"):
        cuhk03_np.load(raw)
    config["filelist"][3, 0] = "img3.png"
    savemat(raw / CONFIG, config)
    with pytest.raises(ValueError, match=r"lists 'img3\.png'\. Expected names like 1_001_1_01\.png"):
        cuhk03_np.load(raw)


@pytest.mark.parametrize("folder", ["cuhk03-np/detected", "cuhk03_np_detected", "CUHK03/detected", "detected"])
def test_finds_the_usual_folders(tmp_path, folder):
    for name in ("bounding_box_train/0001_c1_1.png", "query/0002_c1_1.png", "bounding_box_test/0002_c2_6.png"):
        write_image(tmp_path / folder / name)
    for root in (tmp_path, tmp_path / folder):
        assert cuhk03_np.load(root).gallery.camera_id.tolist() == [1]


def test_three_splits_whose_folder_does_not_say_the_kind_of_boxes(market):
    root = market / "cuhk03-np" / "labeled"
    assert len(cuhk03_np.load(root, "labeled").train) == 18
    with pytest.raises(
        ValueError, match=r"labeled' holds the three splits, and its name does not say that the boxes ar"
    ):
        cuhk03_np.load(root)


def test_other_wrong_calls(tmp_path, people):
    with pytest.raises(ValueError, match=r"Unknown `detection` of CUHK03-NP 'label'\. Did you mean 'labeled'"):
        cuhk03_np.load(tmp_path, "label")
    with pytest.raises(ValueError, match=r"No CUHK03-NP in .*; or cuhk03_release there, or in one of its sub-folders"):
        cuhk03_np.load(tmp_path)
    with pytest.raises(ValueError, match=r"Unknown form of the layout 'cuhk03_np' 'raws'\. Did you mean 'raw'"):
        write_layout("cuhk03_np", tmp_path, people, form="raws")


def test_the_published_counts(market, monkeypatch):
    assert cuhk03_np.PUBLISHED_COUNTS == {
        "detected": {"train": (767, 7365), "query": (700, 1400), "gallery": (700, 5332)},
        "labeled": {"train": (767, 7368), "query": (700, 1400), "gallery": (700, 5328)},
    }
    counts = {"train": (3, 18), "query": (3, 6), "gallery": (3, 9)}
    monkeypatch.setattr(cuhk03_np, "PUBLISHED_COUNTS", {"detected": counts, "labeled": counts})
    assert len(cuhk03_np.load(market, "labeled").notes) == 1
    note = cuhk03_np.load(market).notes[1]
    assert note.startswith("train has 3 persons and 17 images; CUHK03-NP (detected) is published with 3 and 18.")


@pytest.mark.parametrize("form", ["market", "raw"])
def test_a_view_has_five_images_and_one_query_of_a_person(tmp_path, people, form):
    many = ReIDTable.concatenate([people.train] * 4)
    crowded = replace(people, train=many, query=ReIDTable.concatenate([people.query] * 2))
    dataset = cuhk03_np.load(write_layout("cuhk03_np", tmp_path, crowded, form=form), "labeled")
    for table, most in ((dataset.train, 5), (dataset.query, 1)):
        counts = np.unique(np.stack([table.person_id, table.camera_id]), axis=1, return_counts=True)[1]
        assert counts.max() == most
