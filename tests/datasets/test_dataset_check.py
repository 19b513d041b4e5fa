import json
from pathlib import Path

import pytest
from PIL import Image

from keras_reid.datasets import ReIDDataset, ReIDTable, check, market1501
from tests.datasets.trees import TINY_MARKET, write_tree


def codes(report) -> list[str]:
    return [finding.code for finding in report.findings]


def table(persons: list[int], cameras: list[int] | None = None) -> ReIDTable:
    return ReIDTable.from_columns([f"/none/{row}.jpg" for row in range(len(persons))], persons, cameras)


@pytest.fixture
def root(tmp_path) -> Path:
    return write_tree(tmp_path, TINY_MARKET)


def test_good_data(root):
    dataset = market1501.load(root)
    report = check(dataset)
    assert report.ok and report.findings == ()
    assert report.counts["gallery"] == {"persons": 3, "images": 3, "cameras": 3}
    assert str(report) == f"{dataset.summary()}\nnothing found"


def test_broken_files_are_named(root):
    dataset = market1501.load(root)
    missing, truncated, text = dataset.train.path[0], dataset.query.path[1], dataset.gallery.path[2]
    Path(missing).unlink()
    Image.effect_noise((64, 128), 60).save(truncated)
    content = Path(truncated).read_bytes()
    Path(truncated).write_bytes(content[: len(content) // 2])  # the header is whole
    Path(text).write_text("no image")
    report = check(dataset)
    assert not report.ok
    assert codes(report) == ["missing_image", "unreadable_image"]
    first, second = report.findings
    assert first.examples == (missing,)
    assert [example.split(" (")[0] for example in second.examples] == [truncated, text]
    assert "error: 2 image files cannot be decoded. E.g. " in str(report)
    assert codes(check(dataset, decode=False)) == ["missing_image"]


def test_training_persons():
    train = table([1, 1, 2, 2, 3], [0, 1, 0, 0, 2])
    report = check(ReIDDataset("mine", train, table([]), table([])))
    found = {finding.code: (finding.message, finding.examples) for finding in report.findings}
    assert found["single_image"] == ("1 of 3 training persons have one image only.", ("3",))
    assert found["one_camera"] == (
        "2 of 3 training persons are seen by one camera only.",
        ("2", "3"),
    )
    assert found["no_queries"][0] == "There are no queries: nothing can be evaluated."


def test_queries_without_a_match():
    dataset = ReIDDataset("mine", table([]), table([1, 2], [0, 0]), table([1, 2], [1, 0]))
    (finding,) = [f for f in check(dataset).findings if f.code == "query_without_match"]
    assert not finding.is_error
    assert finding.message.startswith("1 of 2 queries have no match from another camera in the gal")
    assert finding.examples == ("/none/1.jpg",)
    nobody = ReIDDataset("mine", table([]), table([1], [0]), table([1], [0]))
    assert [f.is_error for f in check(nobody).findings if f.code == "query_without_match"] == [True]


def test_queries_without_a_camera():
    gallery = ReIDTable.from_columns(["/none/g.jpg"], [1])
    by_camera = ReIDDataset("mine", table([]), table([1]), gallery)
    assert {"camera_unknown", "query_without_match"} <= set(codes(check(by_camera)))
    without = ReIDDataset("mine", table([]), table([1]), gallery, protocol="no_camera")
    assert codes(check(without)) == ["missing_image"]


def test_errors_come_first_and_the_dict_is_plain(root):
    dataset = ReIDDataset("mine", table([1]), table([2], [0]), table([2], [0]))
    report = check(dataset)
    errors = [finding.is_error for finding in report.findings]
    assert errors == sorted(errors, reverse=True) and {True, False} == set(errors)
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["ok"] is False and plain["counts"]["train"]["images"] == 1
    assert [finding["code"] for finding in plain["findings"]] == codes(report)
    assert plain["findings"][0]["examples"] == ["/none/0.jpg"]
