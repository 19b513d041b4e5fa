from pathlib import Path

import numpy as np
import pytest

from keras_reid.datasets import folder
from tests.datasets.trees import write_image

HEADER = "path,person_id,camera_id,time_s,split"
ROWS = [
    "img/a.jpg,7,0,0.5,train",
    "img/b.jpg,7,3,,train",
    "img/c.jpg,8,0,2,query",
    "img/d.jpg,8,3,3,gallery",
    "img/e.jpg,-1,3,3,gallery",
]


@pytest.fixture
def write(tmp_path):
    for name in "abcdef":
        write_image(tmp_path / "img" / f"{name}.jpg")

    def write_csv(header: str = HEADER, rows: list[str] = ROWS) -> Path:
        file = tmp_path / "mine.csv"
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
        return file

    return write_csv


def test_reads_every_column_and_the_split(write, tmp_path):
    dataset = folder.from_csv(write())
    assert (dataset.name, dataset.protocol) == ("mine", "market1501")
    assert dataset.train.path.tolist() == [str(tmp_path / "img" / f"{n}.jpg") for n in "ab"]
    assert dataset.train.person_id.tolist() == [7, 7]
    assert dataset.train.camera_id.tolist() == [0, 3]
    np.testing.assert_array_equal(dataset.train.time_s, [0.5, np.nan])
    assert (dataset.query.time_s.tolist(), dataset.gallery.time_s.tolist()) == ([2.0], [3.0])
    assert dataset.notes == ("1 junk images (person -1) were left out.",)


def test_optional_columns(write):
    rows = [f"{row},{extra}" for row, extra in zip(ROWS[:4], ("1,5", "0,", ",6", "1,7"), strict=True)]
    dataset = folder.from_csv(write(f"{HEADER},modality,tracklet", rows))
    assert dataset.train.modality.tolist() == [1, 0]
    assert dataset.train.tracklet.tolist() == [5, -1]
    assert (dataset.query.modality.tolist(), dataset.query.tracklet.tolist()) == ([0], [6])


def test_other_names_of_columns_and_of_the_image_folder(write, tmp_path):
    rows = ["a.jpg,4.0,in", "b.jpg,4.0,out", "c.jpg,5.0,in", "d.jpg,5.0,out"]
    file = write("file,pid,place", rows)
    columns = {"path": "file", "person_id": "pid", "camera_id": "place"}
    dataset = folder.from_csv(file, images=tmp_path / "img", columns=columns)
    assert {*dataset.train.person_id, *dataset.query.person_id} == {4, 5}
    assert dataset.train.camera_id.tolist() == [0, 1]
    assert "The camera names were numbered: in = 0, out = 1." in dataset.notes
    ignored = columns | {"camera_id": None}
    assert folder.from_csv(file, tmp_path / "img", ignored).protocol == "no_camera"


@pytest.mark.parametrize("camera", ["", "-1"])
def test_unknown_cameras(write, camera):
    rows = [f"img/{name}.jpg,{person},{camera}" for name, person in zip("abcd", "1122", strict=True)]
    dataset = folder.from_csv(write("path,person_id,camera_id", rows))
    assert dataset.protocol == "no_camera"
    assert dataset.query.camera_id.tolist() == [-1]


@pytest.mark.parametrize(
    ("header", "row", "sentence"),
    [
        ("file,person_id", "x,1", r"has no column 'path'\. Its header: file, person_id\. Name you"),
        (HEADER, "img/x.jpg,1,0,0,train", r"1 of 6 .* do not exist: .*x\.jpg \(line 7\)\. Relati"),
        (HEADER, "img/f.jpg,9,,0,train", r"1 of 6 .* have no camera, e\.g\. line 7\. Give one for"),
        (HEADER, "img/f.jpg,9,-1,0,train", r"1 of 6 .* have camera -1 .* line 7\. .*'camera_id': N"),
        (HEADER, "img/f.jpg,,0,0,train", r"1 of 6 images .* have no person, e\.g\. line 7"),
        (HEADER, "img/f.jpg", r"1 of 6 images .* have no person, e\.g\. line 7"),
        (HEADER, "img/f.jpg,9,0,noon,train", r"The time of line 7 .* a number\. Received: 'noon'"),
        (HEADER, "img/f.jpg,9,0,0,val", r"The split of line 7 .* train, query, gallery\. .*'val'"),
        (HEADER, "img/f.jpg,8,0,0,train", r"in the training split and in a test split: 8\."),
        (f"{HEADER},modality", "img/f.jpg,9,0,0,train,0.5", r"modality of line 7 .* whole .*'0\.5'"),
        (f"{HEADER},tracklet", "img/f.jpg,9,0,0,train,inf", r"tracklet of line 7 .* whole .*'inf'"),
        (f"{HEADER},modality", "img/f.jpg,9,0,0,train,2", r"`modality` must lie in 0\.\.1\."),
    ],
)
def test_bad_rows(write, header, row, sentence):
    with pytest.raises(ValueError, match=sentence):
        folder.from_csv(write(header, [*ROWS, row]))


def test_bad_arguments(write, tmp_path):
    with pytest.raises(ValueError, match=r"Expected a CSV file\. Received: '.*no\.csv'"):
        folder.from_csv(tmp_path / "no.csv")
    with pytest.raises(ValueError, match=r"`columns` names 'pid', which is none of path, person_id"):
        folder.from_csv(write(), columns={"pid": "person_id"})
    with pytest.raises(ValueError, match=r"has no column 'cam'\. .*columns=\{'camera_id': "):
        folder.from_csv(write(), columns={"camera_id": "cam"})
    with pytest.raises(ValueError, match=r"mine\.csv' names no image\."):
        folder.from_csv(write(rows=[]))


def test_one_camera_only(write):
    rows = [row.replace(",3,", ",0,") for row in ROWS]
    with pytest.raises(ValueError, match=r"all images are of camera 0.*'camera_id': None"):
        folder.from_csv(write(rows=rows))
    assert folder.from_csv(write(rows=rows), columns={"camera_id": None}).protocol == "no_camera"
