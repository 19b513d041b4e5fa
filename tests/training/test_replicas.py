"""A dataset of one's own on two devices: in a process of its own, on two virtual CPUs."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

SCRIPT = """
import sys
import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras_reid.methods.base import ReIDModel
from keras_reid.training import Devices, OptimizerGroup, several_devices

SIZE, BATCH, STEPS = (64, 32), 8, 5
rng = np.random.default_rng(0)
images = rng.random((STEPS * BATCH, *SIZE, 3)).astype("float32")
labels = rng.integers(0, 6, STEPS * BATCH).astype("int32")


class Linear(ReIDModel):
    def __init__(self):
        super().__init__(image_size=SIZE)
        self.dense = keras.layers.Dense(1, kernel_initializer="ones")
        self.dense.build((None, 3))
        self.built = True

    def call(self, images, training=False):
        return self.dense(ops.mean(images, axis=(1, 2)))

    def training_step(self, batch, training=True):
        def loss_fn():
            wrong = self(batch["image"])[:, 0] - ops.cast(batch["person_id"], "float32")
            loss = ops.mean(ops.square(wrong))
            return loss, {"loss": loss}
        return self.update(None, loss_fn)


def trained(devices, found, name):
    data = tf.data.Dataset.from_tensor_slices({"image": images, "person_id": labels}).batch(BATCH, drop_remainder=True)
    data.num_identities = 6  # as `pipeline.training` has it: what fit makes must be on both devices, too
    with devices.scope():
        model = Linear()
        clip = [{"groups": ["all"], "norm": 1.0}]
        model.compile(OptimizerGroup({"all": keras.optimizers.SGD(0.1)}, {"all": None}, clip))
    found[name + " loss"] = model.fit(data, verbose=0).history["loss"][0]
    found[name + " evaluated"] = model.evaluate(data, verbose=0)
    found[name + " weights"] = np.concatenate([weight.numpy().ravel() for weight in model.weights])
    found[name + " embedding"] = model.extract(images[:7], batch_size=4)
    model.batch_blocks = 2
    try:
        model.fit(data, verbose=0)
    except ValueError as error:
        found[name + " error"] = str(error)
    try:
        model.fit(data.unbatch().batch(5), verbose=0)
    except ValueError as error:
        found[name + " odd"] = str(error)


found = {}
with several_devices(2) as devices:
    assert devices.count == 2 and devices.first_host
    trained(devices, found, "two")
trained(Devices(), found, "one")
np.savez(sys.argv[1], **found)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    if keras.backend.backend() == "torch":
        pytest.skip("Keras trains on one device with torch")
    file = tmp_path_factory.mktemp("replicas") / "found.npz"
    environment = {**os.environ, "KERAS_BACKEND": keras.backend.backend(), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", SCRIPT, str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(file))


@pytest.mark.parametrize("name", ["loss", "evaluated", "weights", "embedding"])
def test_two_devices_do_what_one_does(found, name):
    """The gradient is the global batch's mean, and its norm is what is clipped; 7 images are no multiple of 2."""
    np.testing.assert_allclose(found[f"two {name}"], found[f"one {name}"], rtol=1e-5)


def test_blocks_are_divided_by_the_pipeline_alone(found):
    assert "one error" not in found
    if keras.backend.backend() == "tensorflow":
        assert "Linear consists of 2 blocks, and each device needs its part of each" in str(found["two error"])
    else:
        assert "two error" not in found


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow divides 5 images into 3 and 2")
def test_a_batch_that_two_devices_do_not_divide(found):
    assert "A batch of 5 images cannot be divided among 2 devices" in str(found["two odd"])
