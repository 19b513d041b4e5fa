"""What the command's tests do not see of a run: its log for TensorBoard, without that package."""

import sys
import types

import keras
import pytest

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
