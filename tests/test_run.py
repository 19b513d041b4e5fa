"""What the command's tests do not see of a run: weights of other people, its log for TensorBoard."""

import sys
import types

import keras
import pytest

from keras_reid import zoo
from keras_reid.run import run

OPTIONS = {"overrides": {"image_size": (64, 32)}, "sampler": {"identities": 2}, "tensorboard": True, "verbose": 0}


class Begun(Exception):
    pass


def test_a_log_for_tensorboard(people, tmp_path, monkeypatch):
    def board(log_dir, write_graph):  # stands for the class, and stops the run before it begins
        raise Begun(log_dir)

    monkeypatch.setitem(sys.modules, "tensorboard", types.ModuleType("tensorboard"))
    monkeypatch.setattr(keras.callbacks, "TensorBoard", board)
    with pytest.raises(Begun) as begun:
        run("baseline_tiny", people, tmp_path / "run", **OPTIONS)
    assert begun.value.args == (tmp_path / "run" / "tensorboard",)


def test_without_the_package_nothing_is_begun(people, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match="needs that package: pip install tensorboard. log.csv holds the same"):
        run("baseline_tiny", people, tmp_path / "run", **OPTIONS)
    assert not (tmp_path / "run").exists()


def test_a_model_of_other_people_goes_on_with_a_new_head(people, tmp_path):
    """More or fewer people than its head knows: the head is left behind, the body is what training begins with."""
    zoo.load("baseline_tiny", num_classes=9, image_size=(64, 32)).save_weights(tmp_path / "old.weights.h5")
    options = {**OPTIONS, "tensorboard": False, "epochs": 1, "weights": tmp_path / "old.weights.h5"}
    model, _ = run("baseline_tiny", people, tmp_path / "run", **options)
    assert model.num_classes == people.train.num_persons == 4
