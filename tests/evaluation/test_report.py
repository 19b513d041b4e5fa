import dataclasses
import json

import numpy as np
import pytest

from keras_reid import retrieval
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import Report, select_queries

SCORES = np.array([[0.9, 0.8, 0.1], [0.2, 0.3, 0.4], [0.5, 0.6, 0.7], [0.5, 0.4, 0.3]])


def made(top_k=3, **fields):
    """Query 0: right first. Query 1: right last. Query 2: nobody. Query 3: only in its own camera."""
    query = ReIDTable.from_columns([f"/q{k}.jpg" for k in range(4)], [1, 2, 5, 3], [0, 0, 0, 1], [1.5, np.nan, 2, 3])
    gallery = ReIDTable.from_columns([f"/g{k}.jpg" for k in range(3)], [1, 1, 3], [1, 1, 1])
    metrics = retrieval.evaluate_scores(
        SCORES, query.person_id, gallery.person_id, query.camera_id, gallery.camera_id, max_rank=3, top_k=top_k
    )
    return Report("three", metrics, query, gallery, **fields)


def test_the_text_holds_numbers_counts_and_who_was_skipped():
    text = str(made(provenance={"model": "mine", "date": "2024-05-01"}, post_process=("Rerank(k1=20)",)))
    assert "three (protocol market1501, step AP)" in text
    assert "after: Rerank(k1=20)" in text
    assert "rank-1" in text and "100.0%" in text
    assert "rank-5" not in text  # the curve ends at 3
    assert "1 of 4 queries counted, 3 gallery images" in text
    assert "2 of 4 queries have no image of their identity in the gallery" in text
    assert "1 of 4 queries share camera 1 with their matches" in text
    assert "Skipped queries show 3 persons: 2, 3, 5." in text
    assert text.endswith("mine, 2024-05-01")


def test_nothing_is_said_of_skipped_queries_when_there_are_none():
    query = ReIDTable.from_columns(["/q.jpg"], [1], [0])
    gallery = ReIDTable.from_columns(["/g.jpg"], [1], [1])
    metrics = retrieval.evaluate_scores([[1.0]], [1], [1], [0], [1], top_k=1)
    report = Report("one", metrics, query, gallery)
    assert report.skipped_sentences() == []
    assert "kipped" not in str(report)


def test_a_report_without_any_match_says_so_instead_of_failing(tmp_path):
    query = ReIDTable.from_columns(["/q.jpg"], [1], [0])
    gallery = ReIDTable.from_columns(["/g.jpg"], [1], [0])
    metrics = retrieval.evaluate_scores([[1.0]], [1], [1], [0], [0], top_k=1)
    report = Report("one camera", metrics, query, gallery)
    assert "All 1 queries share camera 0 with their matches" in str(report)
    assert "n/a" in str(report)
    again = Report.from_json(report.to_json(tmp_path / "report.json"))
    assert np.isnan(again.mean_ap) and np.isnan(again.cmc).all()
    assert str(again) == str(report)


@pytest.mark.parametrize("top_k", [0, 3])
def test_json_gives_back_the_same_report(tmp_path, top_k):
    report = made(top_k=top_k, provenance={"seed": 3, "weights": None}, post_process=("a", "b"))
    again = Report.from_json(report.to_json(tmp_path / "folder" / "report.json"))
    assert str(again) == str(report)
    assert again.provenance == report.provenance
    for field in dataclasses.fields(retrieval.Metrics):
        left, right = getattr(report.metrics, field.name), getattr(again.metrics, field.name)
        np.testing.assert_equal(right, left)
        assert type(right) is type(left), field.name
    for table in ("query", "gallery"):
        for field in dataclasses.fields(ReIDTable):
            left, right = (getattr(getattr(r, table), field.name) for r in (report, again))
            np.testing.assert_array_equal(right, left)
            assert right.dtype == left.dtype


def test_the_dict_is_small_and_strict_json():
    record = made().to_dict()
    text = json.dumps(record, allow_nan=False)
    assert "/q0.jpg" not in text
    assert record["metrics"]["mean_ap"] == 1.0
    assert record["metrics"]["invalid"] == {"identity_not_in_gallery": 2, "matches_ignored": 1}


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other.json"
    for content in ("[]", "{}", json.dumps({**made().to_dict(), "format": 99}), json.dumps(made().to_dict())):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"must be a file of `Report.to_json`, format 1"):
            Report.from_json(path)


def test_tables_and_metrics_must_belong_together():
    report = made()
    with pytest.raises(ValueError, match=r"metrics are of 4 queries and 3 gallery images, the tables hold 3 and 3"):
        dataclasses.replace(report, query=report.query.take([0, 1, 2]))


def test_panel_rows_say_what_each_image_is():
    report = made()
    row = report.panel_rows([0])[0]
    assert row.title == "person 1 · AP 100.0 %"
    assert (row.query.path, row.query.match, row.query.caption) == ("/q0.jpg", None, "camera 0")
    assert [(image.path, image.match) for image in row.results] == [
        ("/g0.jpg", True),
        ("/g1.jpg", True),
        ("/g2.jpg", False),
    ]
    assert row.results[0].caption == "0.90 · camera 1"
    # Its only match is left out by the protocol: two results remain, and no average precision.
    skipped = report.panel_rows([3])[0]
    assert skipped.title == "person 3 · no match"
    assert [image.path for image in skipped.results] == ["/g0.jpg", "/g1.jpg"]
    assert len(report.panel_rows([0], top_k=1)[0].results) == 1


def test_a_report_without_rankings_says_how_to_get_them():
    with pytest.raises(ValueError, match=r"holds no rankings. Evaluate with `top_k=10`"):
        made(top_k=0).panel_rows()


def test_rank_outside_of_the_curve_is_refused():
    with pytest.raises(ValueError, match=r"The curve reaches rank 3"):
        made().rank(4)


PRECISION = np.array([0.5, np.nan, 0.1, 0.9, 0.3, np.nan])


def test_queries_are_chosen_by_their_precision():
    assert select_queries(PRECISION, "hardest", 2).tolist() == [2, 4]
    assert select_queries(PRECISION, "easiest", 2).tolist() == [3, 0]
    assert select_queries(PRECISION, "hardest", 99).tolist() == [2, 4, 0, 3]
    assert select_queries(PRECISION, [5, 1]).tolist() == [5, 1]


def test_random_queries_are_seeded_and_never_skipped_ones():
    chosen = {tuple(select_queries(PRECISION, "random", 2, seed=seed).tolist()) for seed in range(20)}
    assert len(chosen) > 1
    assert not {1, 5} & {row for rows in chosen for row in rows}
    assert select_queries(PRECISION, seed=4, count=2).tolist() == select_queries(PRECISION, seed=4, count=2).tolist()


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match=r"Unknown choice of queries 'hard'. Did you mean 'hardest'"):
        select_queries(PRECISION, "hard")
    with pytest.raises(ValueError, match=r"Queries are numbered 0 to 5. Received: \[6\]"):
        select_queries(PRECISION, [6])
    with pytest.raises(ValueError, match=r"`count` must be an integer of at least 1"):
        select_queries(PRECISION, "random", 0)
