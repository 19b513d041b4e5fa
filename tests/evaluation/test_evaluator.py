import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_reid
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import evaluate
from keras_reid.retrieval import Rerank
from tests.evaluation.fakes import BrightnessModel, grey_dataset


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
