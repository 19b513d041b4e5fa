import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_reid
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import evaluate
from keras_reid.retrieval import Rerank, evaluate_scores, mean_metrics
from tests.evaluation.fakes import BrightnessModel, MapModel, grey_dataset, grey_images


@pytest.fixture
def dataset(tmp_path):
    return grey_dataset(tmp_path)


def test_the_numbers_are_those_worked_out_by_hand(dataset):
    report = evaluate(BrightnessModel(), dataset, progress=False)
    assert report.rank(1) == pytest.approx(2 / 3)
    assert report.rank(2) == 1.0
    assert report.mean_ap == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert report.mean_inp == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert report.metrics.valid_queries == 3
    assert report.skipped_queries == 2
    assert report.dataset == "grey"


def test_the_best_images_follow_the_protocol(dataset):
    report = evaluate(BrightnessModel(), dataset, progress=False, top_k=3)
    names = dataset.gallery.path[report.metrics.top_indices]
    assert [path.split("/")[-1] for path in names[1]] == ["g_wrong.png", "g_second.png", "g_first.png"]
    # Its only match was taken by its own camera, so it is not in the ranking at all.
    assert "g_same_camera.png" not in [path.split("/")[-1] for path in names[3]]


def test_the_data_sets_protocol_decides(tmp_path):
    report = evaluate(BrightnessModel(), grey_dataset(tmp_path, protocol="no_camera"), progress=False)
    assert report.metrics.valid_queries == 4
    assert report.metrics.protocol == "no_camera"


def test_scores_are_made_in_blocks_unless_post_processing_needs_them(dataset, monkeypatch):
    from keras_reid.evaluation import evaluator

    def two_rows(score, query, gallery):
        return score_blocks(score, query, gallery, block_rows=2)

    score_blocks = evaluator.score_blocks
    monkeypatch.setattr(evaluator, "score_blocks", two_rows)
    monkeypatch.setattr(evaluator, "Ranking", None)  # would fail if anything were materialised
    model = BrightnessModel()
    report = evaluate(model, dataset, progress=False)
    assert model.scored == [2, 2, 1]
    assert report.mean_ap == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_post_processing_steps_run_in_order_and_are_named(dataset):
    def reversed_scores(ranking):
        assert ranking.query_features.shape == (5, 2)
        assert ranking.gallery_times.shape == (5,)
        return ranking.with_scores(-ranking.scores)

    def restored_scores(ranking):
        return ranking.with_scores(-ranking.scores)

    model = BrightnessModel()
    worse = evaluate(model, dataset, post_process=[reversed_scores], progress=False)
    same = evaluate(model, dataset, post_process=[reversed_scores, restored_scores], progress=False)
    plain = evaluate(model, dataset, progress=False)
    assert worse.mean_ap < plain.mean_ap
    np.testing.assert_array_equal(same.cmc, plain.cmc)
    assert same.post_process == ("reversed_scores", "restored_scores")


def test_reranking_works_with_the_models_own_score(dataset):
    report = evaluate(BrightnessModel(), dataset, post_process=[Rerank(k1=2, k2=1)], progress=False)
    assert report.post_process[0].startswith("Rerank(")
    assert 0 < report.mean_ap <= 1


def test_provenance_says_what_made_the_numbers(dataset):
    report = evaluate(BrightnessModel(), dataset, progress=False, provenance={"seed": 3, "date": "2024-05-01"})
    assert report.provenance["model"] == "brightness"
    assert report.provenance["keras_reid"] == keras_reid.__version__
    assert report.provenance["input"] == "32 x 16, bilinear"
    assert report.provenance["seed"] == 3
    assert report.provenance["date"] == "2024-05-01"
    assert report.provenance["backend"].startswith(keras.backend.backend())


def test_unreadable_images_stop_the_evaluation_or_are_counted(dataset):
    broken = dataset.gallery.path[1]
    Path(broken).write_bytes(b"no image")
    with pytest.raises(Exception, match=r"Cannot read image"):
        evaluate(BrightnessModel(), dataset, progress=False)
    with pytest.warns(UserWarning, match=r"1 of 5 images cannot be read"):
        report = evaluate(BrightnessModel(), dataset, progress=False, on_bad_image="skip")
    assert len(report.gallery) == 4
    assert report.rank(1) == 1.0  # the wrong image that stood first is gone
    assert report.provenance["skipped_images"] == [broken]


def test_nan_features_are_an_error_also_when_bad_images_are_skipped(dataset):
    class Broken(BrightnessModel):
        def extract(self, images, *, verbose=0):
            return np.full_like(super().extract(images), np.nan)

    with pytest.raises(ValueError, match=r"Scores must not be NaN"):
        evaluate(Broken(), dataset, progress=False, on_bad_image="skip")


def test_a_data_set_for_training_only_is_refused(dataset):
    empty = ReIDTable.from_columns([], np.zeros(0, int))
    with pytest.raises(ValueError, match=r"'grey' has no query images, so it cannot be evaluated"):
        evaluate(BrightnessModel(), dataclasses.replace(dataset, query=empty), progress=False)


def test_bad_post_processing_is_refused(dataset):
    with pytest.raises(TypeError, match=r"must be a sequence of callables Ranking -> Ranking"):
        evaluate(BrightnessModel(), dataset, post_process=Rerank(), progress=False)
    with pytest.raises(TypeError, match=r"sequence of callables .* Received: \['rerank'\]"):
        evaluate(BrightnessModel(), dataset, post_process=["rerank"], progress=False)

    def forgetful(ranking):
        return None

    with pytest.raises(TypeError, match=r"step forgetful must return a Ranking. Received: NoneType"):
        evaluate(BrightnessModel(), dataset, post_process=[forgetful], progress=False)


def test_progress_counts_the_scored_queries(dataset, capsys):
    evaluate(BrightnessModel(), dataset, progress=True)
    assert "5/5" in capsys.readouterr().out


def with_trials(dataset):
    return dataclasses.replace(dataset, trials=(np.array([2, 0, 4]), np.array([4, 2, 1])))


def alone(dataset, rows):
    return dataclasses.replace(dataset, gallery=dataset.gallery.take(rows), trials=())


@pytest.mark.parametrize("steps", [[], [Rerank(k1=2, k2=1)]])
def test_trials_are_evaluations_of_their_galleries_made_from_one_extraction(dataset, steps):
    model = BrightnessModel()
    report = evaluate(model, with_trials(dataset), progress=False, post_process=steps, top_k=2)
    assert model.extracted == [5, 5]
    for metrics, rows in zip(report.trials, with_trials(dataset).trials, strict=True):
        expected = evaluate(BrightnessModel(), alone(dataset, rows), progress=False, post_process=steps, top_k=2)
        assert metrics.to_dict() == expected.metrics.to_dict()
        found = metrics.top_indices >= 0
        np.testing.assert_array_equal(metrics.top_indices[found], rows[expected.metrics.top_indices[found]])
    mean = mean_metrics(report.trials)
    assert report.metrics.to_dict() == mean.to_dict()
    np.testing.assert_array_equal(report.metrics.top_indices, report.trials[0].top_indices)


def test_trials_survive_unreadable_images(dataset):
    Path(dataset.gallery.path[2]).write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"1 of 5 images cannot be read"):
        report = evaluate(BrightnessModel(), with_trials(dataset), progress=False, on_bad_image="skip")
    assert [metrics.num_gallery for metrics in report.trials] == [2, 2]
    shown = {report.gallery.path[row] for row in report.metrics.top_indices.ravel() if row >= 0}
    assert shown == {dataset.gallery.path[0], dataset.gallery.path[4]}
    only = dataclasses.replace(dataset, trials=(np.array([2]),))
    with (
        pytest.warns(UserWarning, match=r"1 of 5 images cannot be read"),
        pytest.raises(ValueError, match=r"None of the images of trial 0 of 'grey' can be read"),
    ):
        evaluate(BrightnessModel(), only, progress=False, on_bad_image="skip")


def several_queries(tmp_path, dataset):
    """Person 1 three times before camera 0, once before camera 2; person 2 once before camera 0."""
    names = [("a", 10, 1, 0), ("b", 80, 2, 0), ("c", 40, 1, 0), ("d", 12, 1, 2), ("e", 85, 1, 0)]
    return dataclasses.replace(dataset, query=grey_images(tmp_path, names))


@pytest.mark.parametrize("model", [BrightnessModel, MapModel])
def test_multi_query_is_the_plain_loop_over_persons_and_cameras(tmp_path, dataset, model):
    data = several_queries(tmp_path, dataset)
    report = evaluate(model(), data, progress=False, multi_query=True)
    assert report.query.path.tolist() == data.query.path[[0, 1, 3]].tolist()
    assert report.provenance["multi_query"] == "5 images asked for as 3 queries"
    brightness = np.array([10, 80, 40, 12, 85]) / 255, np.array([12, 82, 90, 201, 251]) / 255
    scores = np.cos(np.subtract.outer(*brightness))  # the mean of unit vectors' cosines ranks as their mean vector
    means = np.stack([scores[[0, 2, 4]].mean(axis=0), scores[1], scores[3]])
    gallery = data.gallery
    expected = evaluate_scores(means, [1, 2, 1], gallery.person_id, [0, 0, 2], gallery.camera_id, top_k=5)
    np.testing.assert_array_equal(report.metrics.top_indices, expected.top_indices)
    np.testing.assert_allclose(report.metrics.average_precision, expected.average_precision)
    np.testing.assert_allclose(report.metrics.top_scores[1:], expected.top_scores[1:], atol=1e-5)


def test_multi_query_goes_with_post_processing_of_vectors(tmp_path, dataset):
    data = several_queries(tmp_path, dataset)
    steps = [Rerank(k1=2, k2=1)]
    assert len(evaluate(BrightnessModel(), data, progress=False, multi_query=True, post_process=steps).query) == 3
    with pytest.raises(ValueError, match="needs `query_features` and `gallery_features`"):
        evaluate(MapModel(), data, progress=False, multi_query=True, post_process=steps)


def test_multi_query_needs_cameras(dataset):
    query = ReIDTable.from_columns(dataset.query.path, dataset.query.person_id)
    with pytest.raises(ValueError, match=r"`multi_query` .* needs every query's camera. Received: 5 of 5 without"):
        evaluate(BrightnessModel(), dataclasses.replace(dataset, query=query), progress=False, multi_query=True)


def test_a_shortlist_is_compared_exactly_and_its_recall_is_measured(dataset):
    class Shortlisting(BrightnessModel):
        """Keeps exact scores of the first images of the gallery, whatever they are; a bad choice on purpose."""

        def score(self, query_features, gallery_features, *, shortlist=None):
            scores = super().score(query_features, gallery_features)
            if shortlist is not None:
                scores[:, shortlist:] -= 10
            return scores

    report = evaluate(Shortlisting(), dataset, progress=False, shortlist=4)
    # The exact best of the five queries: gallery images 0, 1, 2 or 1, 3, 4. Only the last is not on the list.
    made = report.provenance
    assert (made["shortlist"], made["shortlist_recall_top1"], made["shortlist_recall_queries"]) == (4, 0.8, 5)
    assert 0.7 < made["shortlist_recall_top4"] < 1.0
    assert report.metrics.top_indices[4, -1] == 4  # behind all others
    exact = evaluate(Shortlisting(), dataset, progress=False, shortlist=99)
    assert exact.provenance["shortlist_recall_top1"] == exact.provenance["shortlist_recall_top5"] == 1.0


def test_a_shortlist_is_refused_where_score_has_none(dataset):
    with pytest.raises(ValueError, match=r"whose `score` takes it, such as QAConv. Received: a BrightnessModel"):
        evaluate(BrightnessModel(), dataset, progress=False, shortlist=4)
    with pytest.raises(ValueError, match="`shortlist` must be an integer of at least 1"):
        evaluate(BrightnessModel(), dataset, progress=False, shortlist=0)
