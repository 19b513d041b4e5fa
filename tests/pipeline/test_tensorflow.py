import os
import subprocess
import sys

import pytest

from keras_reid.pipeline._tensorflow import import_tensorflow


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_the_pipeline_imports_neither_tensorflow_nor_keras():
    code = """
import sys, keras_reid.pipeline
heavy = {"tensorflow", "keras", "jax", "torch"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""
    result = run(code)
    assert result.returncode == 0, result.stderr


def test_without_tensorflow_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r'pip install "keras-reid\[cpu\]"'):
        import_tensorflow()


TRAIN = """
import sys
import keras
import numpy as np
from keras_reid import pipeline
from tests.pipeline.images import write_table

class Spy:
    epochs = []

    def batches(self, table, seed, epoch):
        Spy.epochs.append(epoch)
        return pipeline.PKSampler(2, 2).batches(table, seed, epoch)

dataset = pipeline.training(write_table(sys.argv[1]), (32, 16), Spy())

class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(4)

    def call(self, batch):
        return self.head(keras.ops.mean(batch["image"], (1, 2)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(
            x["person_id"], y_pred, from_logits=True))

class Position(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        dataset.position.epoch = epoch

model = Model()
model.compile("sgd")
history = model.fit(dataset, epochs=3, verbose=0, callbacks=[Position()])
assert len(history.history["loss"]) == 3
# Before these: for the number of steps, and where Keras builds the model from a first batch.
assert Spy.epochs[-3:] == [0, 1, 2], Spy.epochs
if keras.backend.backend() != "tensorflow":
    import tensorflow as tf
    assert tf.config.get_visible_devices("GPU") == []
print("trained")
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_it_feeds_fit_on_every_backend(tmp_path, backend):
    if backend != "tensorflow":
        pytest.importorskip(backend)
    code = TRAIN.replace("sys.argv[1]", repr(str(tmp_path)))
    result = run(code, KERAS_BACKEND=backend)
    assert result.stdout.strip() == "trained", result.stderr


def test_other_backends_keep_the_gpu(monkeypatch):
    """TensorFlow hides the GPUs from itself unless Keras runs on it."""
    import tensorflow as tf

    calls = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *pair: calls.append(pair))

    class Keras:
        class backend:
            name = "tensorflow"

            @classmethod
            def backend(cls):
                return cls.name

    monkeypatch.setitem(sys.modules, "keras", Keras)
    import_tensorflow()
    assert calls == []
    Keras.backend.name = "torch"
    import_tensorflow()
    assert calls == [([], "GPU")]
