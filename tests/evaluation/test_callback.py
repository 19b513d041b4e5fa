import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_reid.evaluation import EvaluationCallback
from tests.evaluation.fakes import grey_dataset


@keras.saving.register_keras_serializable(package="tests")
class AngleModel(keras.Model):
    """The angle of the embedding is brightness times a weight."""

    image_size, interpolation = (32, 16), "bilinear"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weight = self.add_weight(shape=(), initializer="ones", name="weight")

    def call(self, images):
        angle = self.weight * ops.mean(images, axis=(1, 2, 3))
        return ops.stack([ops.cos(angle), ops.sin(angle)], axis=-1)

    def extract(self, images, *, verbose=0):
        return self.predict(images.map(lambda batch: batch["image"]), verbose=verbose)

    def score(self, query_features, gallery_features):
        return query_features @ gallery_features.T


class SetWeight(keras.callbacks.Callback):
    """Plays training: the weight of each epoch is said beforehand."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def on_epoch_end(self, epoch, logs=None):
        self.model.weight.assign(self.weights[epoch])


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "images").mkdir()
    return grey_dataset(tmp_path / "images")


def fit(callback, weights, initial_epoch=0, **more):
    model = AngleModel()
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    images, targets = np.zeros((2, 32, 16, 3), "float32"), np.zeros((2, 2), "float32")
    callbacks = [SetWeight(weights), callback, *more.get("after", [])]
    history = model.fit(
        images, targets, epochs=len(weights), initial_epoch=initial_epoch, callbacks=callbacks, verbose=0
    )
    return history.history


# With weight 1 two of three queries find their person first; 200 turns the angles into noise.
GOOD, BAD = 1.0, 200.0


def test_every_n_epochs_and_nan_between(dataset):
    callback = EvaluationCallback(dataset, every=2, verbose=False)
    history = fit(callback, [GOOD] * 5)
    assert np.isnan(history["val_mean_ap"]).tolist() == [True, False, True, False, True]
    assert history["val_mean_ap"][1] == pytest.approx(2.5 / 3)
    assert history["val_rank1"][3] == pytest.approx(2 / 3)
    assert history["val_mean_inp"][3] == pytest.approx(2.5 / 3)
    assert callback.report.dataset == "grey"


def test_later_callbacks_see_the_values(dataset, tmp_path):
    log = tmp_path / "log.csv"
    fit(EvaluationCallback(dataset, every=2, verbose=False), [GOOD] * 2, after=[keras.callbacks.CSVLogger(log)])
    assert "val_mean_ap" in log.read_text().splitlines()[0]
    assert "0.8333" in log.read_text().splitlines()[2]


def test_the_best_model_is_kept_and_not_the_last(dataset, tmp_path, capsys):
    path = tmp_path / "run" / "best.keras"
    history = fit(EvaluationCallback(dataset, keep_best=path), [BAD, GOOD, BAD])
    assert history["val_mean_ap"][1] > max(history["val_mean_ap"][0], history["val_mean_ap"][2])
    assert ops.convert_to_numpy(keras.saving.load_model(path).weight) == GOOD
    record = json.loads((tmp_path / "run" / "best.keras.json").read_text())
    assert record == {"dataset": "grey", "monitor": "val_mean_ap", "value": pytest.approx(2.5 / 3), "epoch": 2}
    assert sorted(file.name for file in path.parent.iterdir()) == ["best.keras", "best.keras.json"]
    assert "epoch 2: grey: mAP 83.3 %, rank-1 66.7 %" in capsys.readouterr().out


def test_a_run_that_goes_on_does_not_replace_a_better_model(dataset, tmp_path, capsys):
    path = tmp_path / "best.keras"
    fit(EvaluationCallback(dataset, keep_best=path), [GOOD])
    before = path.read_bytes()
    fit(EvaluationCallback(dataset, keep_best=path), [GOOD, BAD], initial_epoch=1)
    assert path.read_bytes() == before
    assert "holds val_mean_ap 0.8333 (epoch 1); only a better model replaces it" in capsys.readouterr().out


def test_a_kill_while_saving_leaves_the_old_model(dataset, tmp_path, monkeypatch):
    path = tmp_path / "best.keras"
    fit(EvaluationCallback(dataset, keep_best=path, verbose=False), [BAD])
    before = path.read_bytes()

    def killed(self, target, **_):
        Path(target).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AngleModel, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(EvaluationCallback(dataset, keep_best=path, verbose=False), [BAD, GOOD], initial_epoch=1)
    assert path.read_bytes() == before
    # The next run finds the old record and writes over the half file.
    fit(EvaluationCallback(dataset, keep_best=path, verbose=False), [BAD, GOOD], initial_epoch=1)
    assert ops.convert_to_numpy(keras.saving.load_model(path).weight) == GOOD


def test_another_monitor_can_be_the_best(dataset, tmp_path):
    path = tmp_path / "best.keras"
    fit(EvaluationCallback(dataset, keep_best=path, monitor="val_rank1", verbose=False), [GOOD])
    assert json.loads((tmp_path / "best.keras.json").read_text())["value"] == pytest.approx(2 / 3)


def test_a_model_of_another_comparison_is_not_touched(dataset, tmp_path):
    path = tmp_path / "best.keras"
    fit(EvaluationCallback(dataset, keep_best=path, verbose=False), [GOOD])
    with pytest.raises(ValueError, match=r"this run compares val_rank1 on 'grey'"):
        fit(EvaluationCallback(dataset, keep_best=path, monitor="val_rank1", verbose=False), [GOOD])
    (tmp_path / "best.keras.json").unlink()
    with pytest.raises(ValueError, match=r"exists, but 'best.keras.json' beside it.*Move the model away"):
        fit(EvaluationCallback(dataset, keep_best=path, verbose=False), [GOOD])


def test_bad_arguments_are_refused(dataset):
    with pytest.raises(ValueError, match=r"`keep_best` must be a path that ends in '.keras'. Received: 'best.h5'"):
        EvaluationCallback(dataset, keep_best="best.h5")
    with pytest.raises(ValueError, match=r"Unknown monitor 'mean_ap'. Did you mean 'val_mean_ap'"):
        EvaluationCallback(dataset, monitor="mean_ap")
    with pytest.raises(ValueError, match=r"`every` must be an integer of at least 1"):
        EvaluationCallback(dataset, every=0)
