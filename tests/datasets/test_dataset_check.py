import json
from dataclasses import replace

import numpy as np
import pytest

from keras_reid.datasets import RefusedDataset, ReIDDataset, ReIDTable, check
from keras_reid.datasets.dataset_check.finding import finding


def codes(report) -> list[str]:
    return [each.code for each in report.findings]


def found(dataset) -> dict:
    return {each.code: each for each in check(dataset, decode=False).findings}


def table(persons: list[int], cameras: list[int] | None = None, split: str = "x", **columns) -> ReIDTable:
    return ReIDTable.from_columns(
        [f"/none/{split}{row}.jpg" for row in range(len(persons))], persons, cameras, **columns
    )


def made(train=None, query=None, gallery=None, protocol="market1501") -> ReIDDataset:
    nothing = table([])
    return ReIDDataset("mine", train or nothing, query or nothing, gallery or nothing, protocol)


def test_training_persons():
    findings = found(made(train=table([1, 1, 2, 2, 3, -1, -1], [0, 1, 0, 0, 2, 0, 1])))
    assert findings["single_image"].message == "1 of 4 training persons have one image only."
    assert findings["single_image"].examples == ("3",)
    assert findings["one_camera"].message == "2 of 4 training persons are seen by one camera only."
    assert findings["one_camera"].examples == ("2", "3")
    assert findings["junk_in_train"].count == 2
    assert findings["no_queries"].severity == "note"


def test_one_camera_alone_is_no_finding():
    assert "one_camera" not in found(made(train=table([1, 1, 2, 2], [3, 3, 3, 3])))
    assert "one_camera" not in found(made(train=table([1, 1, 2, 2])))


def test_queries_are_counted_by_the_rule_that_discards_them():
    query = table([1, 2, 2, 3, -1], [0, 0, 1, 0, 0], "q")
    gallery = table([1, 2, -1, 8, 9, 9], [1, 0, 1, 1, 0, 1], "g")
    findings = found(made(query=query, gallery=gallery))
    assert findings["matches_ignored"].message == (
        "1 of 5 queries have matches of their own camera only, which protocol 'market1501' ignores; "
        "they are left out of every metric."
    )
    assert findings["matches_ignored"].examples == ("/none/q1.jpg",)
    assert findings["identity_not_in_gallery"].examples == ("/none/q3.jpg",)
    assert findings["junk"].examples == ("/none/q4.jpg",)
    assert {findings[code].severity for code in ("matches_ignored", "identity_not_in_gallery", "junk")} == {"warning"}
    assert findings["junk_in_gallery"].count == 1
    assert findings["distractors"].message.startswith("3 gallery images of 2 persons show nobody who is looked for")


def test_the_reasons_are_those_of_the_metrics():
    from keras_reid import retrieval

    query = table([1, 2, 2, 3, -1], [0, 0, 1, 0, 0], "q")
    gallery = table([1, 2, -1, 8], [1, 0, 1, 1], "g")
    metrics = retrieval.evaluate_scores(
        np.zeros((5, 4)), query.person_id, gallery.person_id, query.camera_id, gallery.camera_id
    )
    findings = found(made(query=query, gallery=gallery))
    assert {code: findings[code].count for code in metrics.invalid} == dict(metrics.invalid)


def test_no_query_left_is_an_error():
    query, gallery = table([1, 3], [0, 0], "q"), table([1], [0], "g")
    findings = found(made(query=query, gallery=gallery))
    assert findings["matches_ignored"].severity == findings["identity_not_in_gallery"].severity == "error"


def test_sysu_mm01_ignores_the_same_place():
    query = table([1, 2], [2, 2], "q", modality=[1, 1])
    findings = found(made(query=query, gallery=table([1, 2], [1, 3], "g"), protocol="sysu_mm01"))
    assert findings["matches_ignored"].message.startswith("1 of 2 queries have matches of the same place only")


def test_cameras_and_times_that_are_not_known():
    query = table([1, 1], [-1, 0], "q", time_s=[1, 2])
    gallery = table([1, 1], [1, -1], "g", time_s=[3, np.nan])
    report = check(made(table([5, 5, 6, 6], [0, 1, -1, 0], "t"), query, gallery), decode=False)
    severities = [each.severity for each in report.findings if each.code == "camera_unknown"]
    assert sorted(severities) == ["error", "warning", "warning"]
    findings = found(made(query=query, gallery=gallery, protocol="no_camera"))
    assert "1 of 2 query images have no camera, the others have." not in findings["camera_unknown"].message
    assert findings["camera_unknown"].severity == "warning"
    assert findings["time_missing"].message == "1 of 4 query and gallery images have no time, the others have."
    whole = made(query=table([1], None, "q"), gallery=table([1], None, "g"), protocol="no_camera")
    assert not {"camera_unknown", "time_missing"} & set(found(whole))


def test_cameras_without_a_query():
    query = table([1], [0], "q")
    assert found(made(query=query, gallery=table([1, 1], [0, 4], "g")))["camera_without_query"].examples == ("4",)
    assert "camera_without_query" not in found(made(query=query, gallery=table([1], [4], "g")))


def test_errors_come_first_and_the_dict_is_plain():
    report = check(made(table([1]), table([2], [0], "q"), table([2], [0], "g")))
    severities = [each.severity for each in report.findings]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert not report.ok
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["ok"] is False and plain["counts"]["train"] == {"persons": 1, "images": 1, "cameras": 0}
    assert [each["code"] for each in plain["findings"]] == codes(report)
    assert plain["findings"][0] == {
        "code": "missing_image",
        "severity": "error",
        "count": 3,
        "message": "3 image files do not exist.",
        "examples": ["/none/x0.jpg", "/none/q0.jpg", "/none/g0.jpg"],
    }
    assert str(report).startswith("mine (protocol market1501)\n")
    assert "\nerror: 3 image files do not exist. E.g. /none/x0.jpg, " in str(report)
    assert str(report).endswith("\n2 errors, 1 warning")


def test_warnings_alone_are_ok():
    report = check(made(train=table([1])), decode=False)
    without_files = replace(report, findings=tuple(f for f in report.findings if f.severity != "error"))
    assert not report.ok and without_files.ok


@pytest.mark.parametrize("number", [1, 5])
def test_findings_count_all_and_show_some(number):
    made = finding("code", "note", "{n} things.", range(number))
    assert made.count == number and made.message == f"{number} things." and len(made.examples) == min(number, 3)


def test_a_query_that_is_in_the_gallery_is_found_without_reading_it():
    both = table([1], [0])
    assert found(made(query=both, gallery=both))["query_in_gallery_ignored"].severity == "note"
    with pytest.raises(RefusedDataset) as refused:
        made(query=both, gallery=both, protocol="no_camera")
    assert found(refused.value.dataset)["query_in_gallery"].examples == ("/none/x0.jpg (listed 2 times)",)
