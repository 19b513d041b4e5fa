"""Two devices do what one does with the same global batch: in a process of its own, on two virtual CPUs."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

SCRIPT = """
import contextlib, os, sys
backend = os.environ["KERAS_BACKEND"]
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
import keras
import numpy as np
from keras import ops
from keras_reid import zoo
from keras_reid.methods import QAConv
from keras_reid.methods.base import ReIDModel

SIZE, IDENTITIES, BATCH, STEPS = (64, 32), 6, 8, 5
rng = np.random.default_rng(0)
images = rng.random((STEPS * BATCH, *SIZE, 3)).astype("float32")
labels = rng.integers(0, IDENTITIES, STEPS * BATCH).astype("int32")  # many come twice in a batch
data = tf.data.Dataset.from_tensor_slices({"image": images, "person_id": labels}).batch(BATCH, drop_remainder=True)
data.num_identities = IDENTITIES  # as `pipeline.training` has it: what fit makes must be on both devices, too


class Frozen(QAConv):
    def call(self, images, training=False):
        return super().call(images, training=False)


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


def trained(make, rate):
    keras.utils.set_random_seed(0)
    model = make()
    model.compile(keras.optimizers.SGD(rate))
    loss = model.fit(data, verbose=0).history["loss"][0]
    found = {"loss": loss}
    if backend == "tensorflow" and getattr(model, "memory", None) is not None:
        for name in ("maps", "valid"):
            for number, copy in enumerate(getattr(getattr(model.memory, name).value, "values", ())):
                found[f"{name} of replica {number}"] = copy.numpy()
    return found | {f"weight {number}": weight.numpy() for number, weight in enumerate(model.weights)}


# On JAX the statistics of batch norm are the global batch's, so nothing need be frozen.
network = Frozen if backend == "tensorflow" else QAConv
makers = {
    "qaconv": (lambda: network(backbone="tiny", channels=8, image_size=SIZE), 0.0 if network is Frozen else 0.01),
    "linear": (Linear, 0.1),
}
found = {}
for name, (make, rate) in makers.items():
    found |= {f"{name} one {key}": value for key, value in trained(make, rate).items()}
scope = contextlib.nullcontext()
if backend == "tensorflow":
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    scope = strategy.scope
else:
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    assert len(keras.distribution.list_devices()) == 2
    scope = contextlib.nullcontext
for name, (make, rate) in makers.items():
    def made():
        with scope():
            return make()
    found |= {f"{name} two {key}": value for key, value in trained(made, rate).items()}
with scope():
    baseline = zoo.load("baseline_tiny", image_size=SIZE)
found["baseline loss"] = baseline.fit(data, verbose=0).history["loss"][0]
np.savez(sys.argv[1], **found)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    if keras.backend.backend() == "torch":
        pytest.skip("Keras trains on one device with torch")
    file = tmp_path_factory.mktemp("replicas") / "found.npz"
    environment = {**os.environ, "KERAS_BACKEND": keras.backend.backend(), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", SCRIPT, str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(file))


def of(found, name, devices):
    start = f"{name} {devices} "
    return {key.removeprefix(start): value for key, value in found.items() if key.startswith(start + "weight")}


def test_the_class_memory_is_that_of_one_device(found):
    """On TensorFlow with frozen features: the statistics of batch norm are each replica's own there."""
    one, two = of(found, "qaconv", "one"), of(found, "qaconv", "two")
    maps = [key for key, value in one.items() if value.ndim == 4 and len(value) == 6]
    assert len(maps) == 1 and one.keys() == two.keys()
    assert np.count_nonzero(np.abs(one[maps[0]]).sum(axis=(1, 2, 3))) == 6
    np.testing.assert_allclose(two[maps[0]], one[maps[0]], rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="elsewhere there is one copy")
def test_every_replica_has_the_same_class_memory(found):
    for name in ("maps", "valid"):
        copies = [found[f"qaconv two {name} of replica {number}"] for number in (0, 1)]
        np.testing.assert_array_equal(*copies)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX works on the global batch")
def test_every_weight_is_that_of_one_device(found):
    two = of(found, "qaconv", "two")
    for key, value in of(found, "qaconv", "one").items():
        np.testing.assert_allclose(two[key], value, rtol=1e-3, atol=1e-4, err_msg=key)


def test_gradients_are_the_global_batch_s_mean(found):
    one, two = of(found, "linear", "one"), of(found, "linear", "two")
    for key, value in one.items():
        np.testing.assert_allclose(two[key], value, rtol=1e-5, err_msg=key)
    np.testing.assert_allclose(found["linear two loss"], found["linear one loss"], rtol=1e-5)


def test_a_model_that_learns_the_number_of_identities_from_fit_trains(found):
    assert np.isfinite(found["baseline loss"])
