"""A report of a protocol that draws several galleries: the mean and what each trial found."""

import dataclasses
import json

import numpy as np
import pytest

from keras_reid import retrieval
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import Report
from keras_reid.visualize import write_html

QUERY = ReIDTable.from_columns(["/q0.jpg", "/q1.jpg"], [1, 2], [0, 0])
GALLERY = ReIDTable.from_columns(["/g0.jpg", "/g1.jpg", "/g2.jpg", "/g3.jpg"], [1, 2, 1, 2], [1, 1, 1, 1])


def trial(scores, rows):
    gallery = GALLERY.take(rows)
    return retrieval.evaluate_scores(
        np.array(scores), QUERY.person_id, gallery.person_id, QUERY.camera_id, gallery.camera_id, max_rank=2, top_k=1
    )


def made():
    """Trial 0 finds both persons first, trial 1 only the first of them: rank-1 1.0 and 0.5, mAP 1.0 and 0.75."""
    trials = trial([[0.9, 0.1], [0.1, 0.9]], [0, 1]), trial([[0.9, 0.1], [0.9, 0.1]], [2, 3])
    mean = dataclasses.replace(
        trials[0], cmc=np.array([0.75, 1.0]), mean_ap=0.875, mean_inp=0.875, average_precision=np.array([1.0, 0.75])
    )
    return Report("drawn", mean, QUERY, GALLERY, trials=trials)


def test_the_text_says_mean_and_spread():
    lines = str(made()).splitlines()
    assert lines[1].split() == ["rank-1", "mAP", "mINP"]
    assert lines[2].split() == ["75.0%", "87.5%", "87.5%"]
    assert lines[3].split() == ["±35.4%", "±17.7%", "±17.7%"]
    assert lines[4].startswith("Mean of 2 trials, each with its own gallery; ± is the standard deviation")
    assert lines[5] == "2 of 2 queries counted, 2 gallery images in each trial"
    one = dataclasses.replace(made(), trials=made().trials[:1])
    assert "One trial." in str(one) and "±" not in str(one)
    assert np.isnan(one.spread("mean_ap"))


def test_values_by_name():
    report = made()
    assert report.value("rank1") == report.rank(1) == 0.75
    assert report.value("mean_ap") == 0.875
    assert report.spread("rank1") == pytest.approx(np.std([1.0, 0.5], ddof=1))
    with pytest.raises(ValueError, match=r"Unknown metric 'map'.*Any other rank does as well, e.g. 'rank5'"):
        report.value("map")
    with pytest.raises(ValueError, match=r"Unknown metric 'rank0'"):
        report.value("rank0")
    with pytest.raises(ValueError, match=r"The curve reaches rank 2"):
        report.value("rank5")


def test_the_page_says_mean_and_spread(tmp_path):
    page = write_html(tmp_path / "page.html", "Two", {"drawn": dataclasses.replace(made(), trials=made().trials)})
    text = page.read_text(encoding="utf-8")
    assert "mean of 2 trials ± standard deviation" in text
    assert '75.0<br><span class="caption">±35.4</span>' in text


def test_json_gives_back_every_trial(tmp_path):
    report = made()
    again = Report.from_json(report.to_json(tmp_path / "report.json"))
    assert str(again) == str(report) and len(again.trials) == 2
    for left, right in zip(report.trials, again.trials, strict=True):
        for field in dataclasses.fields(retrieval.Metrics):
            np.testing.assert_equal(getattr(right, field.name), getattr(left, field.name))
    assert [trial["mean_ap"] for trial in report.to_dict()["trials"]] == [1.0, 0.75]


def test_a_file_from_before_trials_is_read(tmp_path):
    path = made().to_json(tmp_path / "report.json")
    whole = json.loads(path.read_text())
    del whole["trials"], whole["trial_queries"]
    path.write_text(json.dumps(whole))
    with pytest.raises(ValueError, match=r"metrics are of 2 queries and 2 gallery images, the tables hold 2 and 4"):
        Report.from_json(path)  # without its trials the small gallery is a contradiction
    whole["metrics"]["num_gallery"] = 4
    path.write_text(json.dumps(whole))
    assert Report.from_json(path).trials == ()


def test_trials_must_be_of_the_same_queries_and_a_part_of_the_gallery():
    report = made()
    for change in ({"num_queries": 3}, {"num_gallery": 5}):
        wrong = dataclasses.replace(report.trials[0], **change)
        with pytest.raises(ValueError, match=r"The metrics are of .* the tables hold 2 and 4"):
            dataclasses.replace(report, trials=(report.trials[1], wrong))
