import copy
import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest

from keras_reid.datasets import ReIDTable


@pytest.fixture
def table() -> ReIDTable:
    return ReIDTable.from_columns(
        ["/a.jpg", "/b.jpg", "/c.jpg", "/d.jpg"], [5, 5, 2, 9], [0, 1, 0, -1], [0.0, 1.5, 2.0, 9.0]
    )


def columns(table: ReIDTable) -> dict[str, list]:
    return {f.name: getattr(table, f.name).tolist() for f in dataclasses.fields(table)}


def test_dtypes_and_defaults():
    table = ReIDTable.from_columns([Path("/a.jpg"), "/b.jpg"], [1, 2])
    dtypes = {f.name: getattr(table, f.name).dtype.name for f in dataclasses.fields(table)}
    integers = dict.fromkeys(["person_id", "camera_id", "modality", "domain", "tracklet"], "int32")
    assert dtypes == {"path": "object", "time_s": "float64", **integers}
    assert all(type(path) is str for path in table.path)
    assert table.camera_id.tolist() == [-1, -1]
    assert np.isnan(table.time_s).all()
    assert table.modality.tolist() == table.domain.tolist() == [0, 0]
    assert table.tracklet.tolist() == [-1, -1]


def test_scalars_are_repeated_and_paths_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = ReIDTable.from_columns(["a.jpg", "b/../c.jpg"], [1, 2], camera_id=3, modality=1)
    assert table.camera_id.tolist() == [3, 3] and table.modality.tolist() == [1, 1]
    assert table.path.tolist() == [str(tmp_path / "a.jpg"), str(tmp_path / "c.jpg")]


def test_columns_are_read_only_copies(table):
    ids = np.array([1, 2])
    other = ReIDTable.from_columns(["/a", "/b"], ids)
    ids[0] = 7
    assert other.person_id[0] == 1
    for same in (other, copy.deepcopy(other), pickle.loads(pickle.dumps(other)), other.take([0])):
        for field in dataclasses.fields(same):
            with pytest.raises(ValueError, match="read-only"):
                getattr(same, field.name)[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        other.person_id = ids  # type: ignore[misc]


def test_take_where_labels_concatenate(table):
    assert columns(table.take([2, 0, 0]))["path"] == ["/c.jpg", "/a.jpg", "/a.jpg"]
    assert columns(table.where(table.person_id == 5)) == columns(table.take([0, 1]))
    relabelled = table.with_labels([0, 1, 2, 3])
    assert relabelled.person_id.tolist() == [0, 1, 2, 3]
    assert columns(relabelled) == columns(table) | {"person_id": [0, 1, 2, 3]}
    halves = [table.take([0, 1]), table.take([]), table.take([2, 3])]
    assert columns(ReIDTable.concatenate(halves)) == columns(table)


def test_counts_and_repr(table):
    assert len(table) == 4
    assert table.person_ids.tolist() == [2, 5, 9]
    assert (table.num_persons, table.num_cameras) == (3, 2)
    assert repr(table) == "ReIDTable(4 images, 3 persons, 2 cameras)"
    thermal = dataclasses.replace(table.take([2]), modality=np.array([1]))
    assert repr(thermal) == "ReIDTable(1 image, 1 person, 1 camera, 1 thermal)"
    assert repr(table.take([])) == "ReIDTable(0 images, 0 persons, cameras unknown)"


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"person_id": [1, 2, 3]}, ValueError, r"must be equally long.*'person_id': 3"),
        ({"person_id": [1.0, 2.5]}, TypeError, r"`person_id` must hold integers.*float64"),
        ({"person_id": ["a", "b"]}, TypeError, r"`person_id` must hold integers.*'a'"),
        ({"person_id": [True, False]}, TypeError, r"`person_id` must hold integers.*bool"),
        ({"person_id": [1, 2**31]}, ValueError, r"must lie in -2147483648.*Received: 2147483648"),
        ({"camera_id": [0, -2]}, ValueError, r"`camera_id` must lie in -1\.\..*Received: -2"),
        ({"modality": [0, 2]}, ValueError, r"`modality` must lie in 0\.\.1\. Received: 2"),
        ({"path": ["/a.jpg", 3]}, TypeError, r"`path` must hold strings or paths.*row 1: 3"),
        ({"path": "/a.jpg"}, ValueError, r"`path` must have one dimension"),
        ({"time_s": [0.0, np.inf]}, ValueError, r"`time_s` must be finite.*row 1: inf"),
        ({"time_s": ["x", "y"]}, TypeError, r"`time_s` must hold seconds as numbers"),
    ],
)
def test_bad_columns(changes, error, sentence):
    good = {"path": ["/a.jpg", "/b.jpg"], "person_id": [1, 2]}
    with pytest.raises(error, match=sentence):
        ReIDTable.from_columns(**(good | changes))


def test_bad_row_choices(table):
    with pytest.raises(ValueError, match=r"`indices` must lie in 0\.\.3\. Received: 4"):
        table.take([0, 4])
    with pytest.raises(ValueError, match=r"Received: -1"):
        table.take([-1])
    with pytest.raises(TypeError, match="`indices` must hold integers"):
        table.take([True, False, True, True])
    with pytest.raises(ValueError, match=r"`mask` must be 4 booleans.*int64, shape \(2,\)"):
        table.where(np.array([0, 1]))
    with pytest.raises(ValueError, match="at least one table"):
        ReIDTable.concatenate([])
