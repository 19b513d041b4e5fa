"""Trees of synthetic people: layout, names, times, completion, reading back."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_reid import datasets
from keras_reid.datasets import synthetic
from keras_reid.datasets.synthetic import tree as layout
from keras_reid.datasets.synthetic.walk import sample_passages

FEW = {"train_identities": 3, "test_identities": 3, "images_per_camera": 2}


def files(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in sorted(tree.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    return synthetic.render(tmp_path_factory.mktemp("trees"), site="B", seed=1, camera_seed=2, **FEW)


def test_the_market_reader_reads_it_back(tree):
    dataset = datasets.load("market1501", tree)
    assert sorted(set(dataset.train.person_id)) == [1, 2, 3]
    assert sorted(set(dataset.query.person_id)) == sorted(set(dataset.gallery.person_id)) == [4, 5, 6]
    assert set(dataset.train.camera_id) <= set(range(6))
    assert len(dataset.query) == len(dataset.gallery)  # two pictures a passage: one query, one gallery
    passages = sample_passages("B", 1, 3, part=1)
    assert len(dataset.query) == len(passages)
    for passage in passages:
        mine = (dataset.query.person_id == 4 + passage.person) & (dataset.query.camera_id == passage.camera)
        assert mine.sum() == 1
        assert -0.02 <= dataset.query.time_s[mine][0] - passage.time_s < 2  # names hold frames at 25 a second


def test_pictures_are_jpegs_of_the_market_size(tree):
    for folder in layout.FOLDERS:
        with Image.open(next((tree / folder).iterdir())) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (64, 128), "RGB")


def test_a_finished_tree_is_left_alone(tree):
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    assert synthetic.render(tree.parent, site="B", seed=1, camera_seed=2, **FEW) == tree
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_an_interrupted_tree_is_completed(tree, tmp_path):
    whole = files(tree)

    def stop(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic.render(tmp_path, site="B", seed=1, camera_seed=2, progress=stop, **FEW)
    half = files(tmp_path / tree.name)
    assert layout.MANIFEST not in half
    assert 0 < len(half) < len(whole)
    written = {name: (tmp_path / tree.name / name).stat().st_mtime_ns for name in half}
    calls = []
    again = synthetic.render(
        tmp_path, site="B", seed=1, camera_seed=2, progress=lambda *call: calls.append(call), **FEW
    )
    assert files(again) == whole
    assert {name: (again / name).stat().st_mtime_ns for name in half} == written  # drawn once
    assert calls[-1] == (len(whole) - 1, len(whole) - 1)


def test_the_manifest_says_what_it_is(tree):
    manifest = json.loads((tree / layout.MANIFEST).read_text())
    assert manifest["version"] == synthetic.VERSION == "v1"
    assert (manifest["site"], manifest["seed"], manifest["camera_seed"], manifest["groups"]) == ("B", 1, 2, True)
    assert manifest["images"] == {folder: len(list((tree / folder).iterdir())) for folder in layout.FOLDERS}


def test_other_parameters_make_another_tree(tree):
    other = synthetic.render(tree.parent, site="B", seed=1, camera_seed=3, **FEW)
    assert other != tree
    # The people, their ways and poses are the same: only the cameras were drawn anew.
    assert files(other).keys() == files(tree).keys()
    assert not files(other).items() & files(tree).items() - {(layout.MANIFEST, files(tree)[layout.MANIFEST])}


def test_the_test_people_stay_when_more_are_trained_on(tmp_path):
    few, more = (
        synthetic.render(tmp_path, train_identities=number, test_identities=2, images_per_camera=2)
        for number in (1, np.int64(4))
    )
    one, other = (
        [path.read_bytes() for path in sorted((tree / "query").iterdir(), key=lambda path: path.name[4:])]
        for tree in (few, more)
    )
    assert one == other


def test_load_uses_the_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_REID_CACHE", str(tmp_path))
    dataset = synthetic.load(site="C", **FEW)
    assert dataset.name == "synthetic-C"
    assert Path(dataset.train.path[0]).is_relative_to(tmp_path.resolve() / "synthetic")
    monkeypatch.delenv("KERAS_REID_CACHE")
    assert synthetic.cache_folder() == Path.home() / ".cache" / "keras_reid" / "synthetic"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"site": "E"}, "Unknown synthetic site 'E'. Known: A, B, C, D."),
        ({"seed": -1}, "`seed` must be an integer of at least 0. Received: -1."),
        ({"camera_seed": 0.5}, "`camera_seed` must be an integer of at least 0. Received: 0.5."),
        ({"train_identities": 0}, "`train_identities` must be an integer of at least 1. Received: 0."),
        ({"images_per_camera": 1}, "`images_per_camera` must be at least 2, one for the query"),
        ({"test_identities": 9999}, "must be at most 9999, as many as four-digit file names"),
    ],
)
def test_bad_arguments(tmp_path, options, sentence):
    with pytest.raises(ValueError) as error:
        synthetic.render(tmp_path, **options)
    assert sentence in str(error.value)
    assert not list(tmp_path.iterdir())


def test_groups_pass_cameras_together_and_loners_do_not():
    def nearest(groups: bool) -> float:
        """Median seconds to the next other person before the same camera."""
        passages = sample_passages("A", 0, 150, groups=groups)
        person, camera, time_s = (
            np.array([getattr(passage, name) for passage in passages]) for name in ("person", "camera", "time_s")
        )
        gaps = np.abs(time_s[:, None] - time_s[None, :])
        gaps[(camera[:, None] != camera[None, :]) | (person[:, None] == person[None, :])] = np.inf
        return float(np.median(gaps.min(1)))

    assert nearest(groups=True) < 3
    assert nearest(groups=False) > 6


def test_everybody_passes_cameras_in_plausible_times():
    for groups in (True, False):
        passages = sample_passages("A", 3, 90, groups=groups)
        assert {passage.person for passage in passages} == set(range(90))
        for person in range(90):
            mine = sorted((passage.time_s, passage.camera) for passage in passages if passage.person == person)
            cameras = [camera for _, camera in mine]
            assert len(set(cameras)) == len(cameras) >= 2
            # No faster than half a minute a leg less the seconds of straggling.
            assert all(later[0] - earlier[0] > 10 for earlier, later in pairwise(mine))


def test_importing_it_loads_no_framework():
    code = "import sys, keras_reid.datasets.synthetic; print({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
